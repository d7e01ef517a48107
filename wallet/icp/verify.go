package icp

import (
	"context"
	"errors"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
)

// MainnetChainID is the text's Chain ID line: the first 32 hex digits of the
// SHA-256 of the mainnet root key in DER.
const MainnetChainID = "icp:737ba355e855bd4b61279056603e0550"

// challengeSeparator keeps a signed challenge apart from requests and
// delegations (ICRC-32).
const challengeSeparator = "\x13ic-signer-challenge"

// ErrAccount tells that the key behind a credential is not the account's.
var ErrAccount = errors.New("icp: the key is not the account's")

// Chain is the Internet Computer for the registry of chains.
func Chain() wallet.Chain {
	return wallet.Chain{
		Name: session.InternetComputer, Noun: "Internet Computer", ChainID: MainnetChainID,
		Type: "icp:icrc32", Canonical: CheckPrincipal, Verify: verify,
	}
}

// challengeMessage is what an identity signs for a text.
func challengeMessage(text string) []byte {
	return append([]byte(challengeSeparator), hash([]byte(text))...)
}

// verify checks the account, the chain of delegations and the signature over
// the text.
func verify(_ context.Context, c wallet.Credential, address string, now time.Time) (session.Evidence, error) {
	if CheckPrincipal(address) != nil || principalOf(c.PublicKey) != address {
		return session.Evidence{}, ErrAccount
	}
	signer, notAfter, err := walk(c.PublicKey, c.Delegations, now)
	if err != nil {
		return session.Evidence{}, err
	}
	if !signer.verify(challengeMessage(c.Message), c.Signature) {
		return session.Evidence{}, ErrSignature
	}
	e := session.Evidence{
		Account:  session.Account{Chain: session.InternetComputer, Address: address},
		NotAfter: notAfter,
	}
	if len(c.Delegations) > 0 {
		e.SessionKey = c.Delegations[0].Delegation.PublicKey
	}
	return e, nil
}
