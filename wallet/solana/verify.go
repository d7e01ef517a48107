package solana

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"github.com/mr-tron/base58"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
)

// MainnetChainID is the text's Chain ID line.
const MainnetChainID = "mainnet"

// Why a credential is refused; for the log.
var (
	ErrAddress   = errors.New("solana: not an address: base58 of an Ed25519 key")
	ErrSignature = errors.New("solana: signature does not verify")
	ErrAccount   = errors.New("solana: the public key is not the account's")
	ErrExtra     = errors.New("solana: delegations, which this scheme has not")
)

// Chain is Solana for the registry of chains.
func Chain() wallet.Chain {
	return wallet.Chain{
		Name: session.Solana, Noun: "Solana", ChainID: MainnetChainID,
		Type: "solana:ed25519", Canonical: CheckAddress, Verify: verify,
	}
}

// maxAddress is the most base58 digits that 32 bytes take. Decoding takes the
// square of the length, so it is checked first.
const maxAddress = 44

// decodeAddress returns the key that an address is. A leading 1 is a byte of
// zero, so each key has one spelling.
func decodeAddress(text string) (ed25519.PublicKey, error) {
	if len(text) > maxAddress {
		return nil, ErrAddress
	}
	raw, err := base58.Decode(text)
	if err != nil || wallet.CheckEd25519Key(raw) != nil {
		return nil, ErrAddress
	}
	return raw, nil
}

// CheckAddress refuses anything but the base58 of an Ed25519 key.
func CheckAddress(text string) error {
	_, err := decodeAddress(text)
	return err
}

// verify checks that the text was signed by the key that the address is.
func verify(_ context.Context, c wallet.Credential, address string, _ time.Time) (session.Evidence, error) {
	if c.Delegations != nil {
		return session.Evidence{}, ErrExtra
	}
	key, err := decodeAddress(address)
	if err != nil {
		return session.Evidence{}, err
	}
	if c.PublicKey != nil && !bytes.Equal(c.PublicKey, key) {
		return session.Evidence{}, ErrAccount
	}
	if !ed25519.Verify(key, []byte(c.Message), c.Signature) {
		return session.Evidence{}, ErrSignature
	}
	return session.Evidence{Account: session.Account{Chain: session.Solana, Address: address}}, nil
}
