package anonymous

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/anonymous/semaphore"
)

// Statement is what a proof must be of.
type Statement struct {
	Message [32]byte
	Scope   [32]byte
	// Root says whether an accepted snapshot has this root. Root 0 is never
	// asked for.
	Root func(root fr.Element) bool
}

// Verifier verifies proofs, a bounded number at a time. Safe for concurrent
// use.
type Verifier struct {
	key   *key
	slots chan struct{}
}

// NewVerifier returns a Verifier for Semaphore v4 at depth 20. Of its
// verifications, about a millisecond of one core each, atOnce run side by side.
func NewVerifier(atOnce int) (*Verifier, error) {
	k, err := theKey()
	if err != nil {
		return nil, err
	}
	return &Verifier{key: k, slots: make(chan struct{}, max(atOnce, 1))}, nil
}

// Verify returns the nullifier of a proof that shows the statement. What is
// cheap to look at is looked at before a place is waited for, what is dear
// after it. It refuses with CodeCredentialInvalid, with CodeUnavailable if ctx
// ends before there was a place. The same statement can be shown twice: the
// caller uses up the challenge behind the message.
func (v *Verifier) Verify(ctx context.Context, p Proof, want Statement) (nullifier fr.Element, err error) {
	signals, err := p.signals(want)
	if err != nil {
		return fr.Element{}, refused(err)
	}
	a, c, b, err := p.points()
	if err != nil {
		return fr.Element{}, refused(err)
	}
	release, err := v.acquire(ctx)
	if err != nil {
		return fr.Element{}, err
	}
	defer release()
	if !b.IsInSubGroup() {
		return fr.Element{}, refused(ErrSubgroup)
	}
	if !v.key.check(&a, &c, &b, &signals) {
		return fr.Element{}, refused(ErrProof)
	}
	return signals[1], nil
}

// acquire waits for a place.
func (v *Verifier) acquire(ctx context.Context) (release func(), err error) {
	if ctx.Err() == nil {
		select {
		case v.slots <- struct{}{}:
			return func() { <-v.slots }, nil
		case <-ctx.Done():
		}
	}
	return nil, session.Refuse(session.CodeUnavailable, "Too many proofs are being checked right now. Try again shortly.", ctx.Err())
}

func refused(cause error) error {
	return session.Refuse(session.CodeCredentialInvalid, "The proof is not valid for this challenge.", cause)
}

// signals reads the proof's numbers against the statement and returns what the
// circuit exposes.
func (p *Proof) signals(want Statement) (s [publicSignals]fr.Element, err error) {
	if p.MerkleTreeDepth != Depth {
		return s, ErrDepth
	}
	message, err := semaphore.ParseNumber(p.Message)
	if err != nil {
		return s, err
	}
	scope, err := semaphore.ParseNumber(p.Scope)
	if err != nil {
		return s, err
	}
	if message != want.Message {
		return s, ErrMessage
	}
	if scope != want.Scope {
		return s, ErrScope
	}
	if s[0], err = ParseScalar(p.MerkleTreeRoot); err != nil {
		return s, err
	}
	if s[1], err = ParseScalar(p.Nullifier); err != nil {
		return s, err
	}
	if s[0].IsZero() || !want.Root(s[0]) {
		return s, ErrRoot
	}
	s[2], s[3] = semaphore.Hash(message), semaphore.Hash(scope)
	return s, nil
}
