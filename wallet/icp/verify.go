package icp

import (
	"context"
	"errors"
	"slices"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
)

// challengeSeparator keeps a signed challenge apart from requests and
// delegations (ICRC-32).
const challengeSeparator = "\x13ic-signer-challenge"

// ErrAccount tells that the key behind a credential is not the account's.
var ErrAccount = errors.New("icp: the key is not the account's")

// credentialType is that of this chain's credentials.
const credentialType = "icp:icrc32"

// Chain is the Internet Computer for the registry of chains: the mainnet, or a
// network of the given root keys instead. The first gives the text's Chain ID
// line. Mainnet's must not stand beside another: the other's holder could sign as
// any person of the mainnet.
func Chain(roots ...RootKey) wallet.Chain {
	if len(roots) == 0 {
		roots = []RootKey{Mainnet()}
	}
	return wallet.Chain{
		Name: session.InternetComputer, Noun: "Internet Computer", ChainID: roots[0].ChainID(),
		Type: credentialType, Canonical: CheckPrincipal, Verify: newNetwork(roots...).verify,
	}
}

// challengeMessage is what an identity signs for a text.
func challengeMessage(text string) []byte {
	return append([]byte(challengeSeparator), hash([]byte(text))...)
}

// verify checks the account, the chain of delegations and the signature over
// the text. Signatures are checked from the end of the chain: the root's may be a
// canister's, and cost a hundred times the others.
func (n *network) verify(ctx context.Context, c wallet.Credential, address string, now time.Time) (session.Evidence, error) {
	if CheckPrincipal(address) != nil || principalOf(c.PublicKey) != address {
		return session.Evidence{}, ErrAccount
	}
	links, signer, notAfter, err := n.walk(c.PublicKey, c.Delegations, now)
	if err != nil {
		return session.Evidence{}, err
	}
	links = append(links, link{signer, challengeMessage(c.Message), c.Signature})
	for _, l := range slices.Backward(links) {
		if err := l.key.verify(ctx, l.message, l.signature); err != nil {
			return session.Evidence{}, err
		}
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
