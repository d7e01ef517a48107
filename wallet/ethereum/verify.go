package ethereum

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
)

// MainnetChainID is the text's Chain ID line (EIP-155). A key is the same
// account on every chain, so the line says nothing about where it acts.
const MainnetChainID = "1"

// Why a credential is refused; for the log.
var (
	ErrSignature = errors.New("ethereum: signature does not verify")
	ErrContract  = errors.New("ethereum: a contract's signature")
	ErrAccount   = errors.New("ethereum: the key is not the account's")
	ErrExtra     = errors.New("ethereum: a public key or delegations, which this scheme has not")
)

// Chain is Ethereum for the registry of chains.
func Chain() wallet.Chain {
	return wallet.Chain{
		Name: session.Ethereum, Noun: "Ethereum", ChainID: MainnetChainID,
		Type: "eip191", Canonical: CheckAddress, Verify: verify,
	}
}

// hashText is EIP-191, version 0x45: what personal_sign signs.
func hashText(text string) []byte {
	return keccak([]byte("\x19Ethereum Signed Message:\n"+strconv.Itoa(len(text))), []byte(text))
}

// verify checks that the text was signed by the key the address is made from.
func verify(_ context.Context, c wallet.Credential, address string, _ time.Time) (session.Evidence, error) {
	if c.PublicKey != nil || c.Delegations != nil {
		return session.Evidence{}, ErrExtra
	}
	signer, err := recoverAddress(c.Message, c.Signature)
	if err != nil {
		return session.Evidence{}, err
	}
	if signer != address {
		return session.Evidence{}, notItsKey(ErrAccount)
	}
	return session.Evidence{Account: session.Account{Chain: session.Ethereum, Address: address}}, nil
}

// notItsKey is the answer where a contract may stand behind the address: its
// person has done nothing wrong and would try for ever.
func notItsKey(cause error) error {
	return session.Refuse(session.CodeCredentialInvalid, "This is not a signature of the address's own key. "+
		"Contract wallets (EIP-1271, ERC-6492) are not supported, because checking one takes a node of each chain: sign in with an account that is a key.", cause)
}

const signatureLen = 65 // r ‖ s ‖ v

// counterfactual ends the signatures of contracts that may not be there yet.
var counterfactual = bytes.Repeat([]byte{0x64, 0x92}, 16) // ERC-6492

// recoverAddress returns the address of the key that signed the text.
func recoverAddress(text string, sig []byte) (string, error) {
	if len(sig) != signatureLen || bytes.HasSuffix(sig, counterfactual) {
		return "", notItsKey(ErrContract)
	}
	var compact byte
	switch v := sig[64]; v {
	case 0, 1:
		compact = v + 27
	case 27, 28:
		compact = v
	default:
		return "", ErrSignature
	}
	var s secp256k1.ModNScalar
	s.SetByteSlice(sig[32:64])
	if s.IsOverHalfOrder() { // EIP-2; no wallet makes them
		return "", ErrSignature
	}
	// It refuses an r or s that is zero or not below the group's order.
	key, _, err := secp.RecoverCompact(slices.Concat([]byte{compact}, sig[:64]), hashText(text))
	if err != nil {
		return "", ErrSignature
	}
	return addressOf(key), nil
}
