package icp

import (
	"context"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
)

// Network opens a network to the tests that need the fake one of sessiontest.
type Network struct{ n *network }

func NewNetwork(roots ...RootKey) Network { return Network{newNetwork(roots...)} }

func (n Network) Verify(ctx context.Context, c wallet.Credential, address string, now time.Time) (session.Evidence, error) {
	return n.n.verify(ctx, c, address, now)
}

// Key checks one signature by a key in DER.
func (n Network) Key(ctx context.Context, der, message, signature []byte) error {
	k, err := n.n.publicKey(der)
	if err != nil {
		return err
	}
	return k.verify(ctx, message, signature)
}

// Occupy takes every place for expensive checks; the returned function gives
// them back.
func (n Network) Occupy() func() {
	places := cap(n.n.slots.taken)
	for range places {
		n.n.slots.taken <- struct{}{}
	}
	return func() {
		for range places {
			<-n.n.slots.taken
		}
	}
}

// Fill lets as many wait for a place as may; the returned function lets them go.
func (n Network) Fill() func() {
	many := int64(waitingPerSlot * cap(n.n.slots.taken))
	n.n.slots.waiting.Add(many)
	return func() { n.n.slots.waiting.Add(-many) }
}

// Remembered returns how many delegations are remembered, and how many keys.
func (n Network) Remembered() (delegations, keys int) {
	seen := map[*blsKey]bool{}
	for e := n.n.subnets.used.Front(); e != nil; e = e.Next() {
		seen[e.Value.(*subnet).key] = true
	}
	return len(n.n.subnets.of), len(seen)
}

const MaxSubnets = maxSubnets

// ChallengeMessage is what an identity signs for a text.
var ChallengeMessage = challengeMessage
