package anonymous

import (
	"context"
	"crypto/ed25519"
	"sync/atomic"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	session "github.com/mentalverse/session"
)

// HostConfig is what a [Host] stands on.
type HostConfig struct {
	Service    ServiceID
	Epochs     Epochs
	Rules      Rules
	Pseudonyms PseudonymKey
	Key        ed25519.PrivateKey // signs snapshots
	AtOnce     int                // proofs verified side by side
}

// Host is the service's side of anonymous sign-in: it implements
// [session.Group] over the tree of members, and shows the group to clients.
// Safe for concurrent use, as the interface says.
type Host struct {
	HostConfig
	verifier *Verifier
	plan     plan                      // of one goroutine at a time
	shown    atomic.Pointer[published] // nil until the group is loaded
	pages    pageCache
}

var _ session.Group = (*Host)(nil)

// NewHost returns a host that is not Ready before it has been loaded.
func NewHost(c HostConfig) (*Host, error) {
	v, err := NewVerifier(c.AtOnce)
	if err != nil {
		return nil, err
	}
	return &Host{HostConfig: c, verifier: v}, nil
}

// Ready implements session.Group.
func (h *Host) Ready(now time.Time) error {
	p := h.shown.Load()
	if p == nil {
		return preparing()
	}
	if err := h.Rules.Open(p.members); err != nil {
		return err
	}
	if p.window[len(p.window)-1].Turned(h.Epochs, now) {
		return preparing()
	}
	return nil
}

// preparing is the refusal while the group is not loaded, or the epoch's first
// snapshot not published; like that of [Rules.Open] it has no cause.
func preparing() error {
	return session.Refuse(session.CodeUnavailable, "The group is being prepared. Try again shortly.", nil)
}

// EpochEnd implements session.Group.
func (h *Host) EpochEnd(now time.Time) time.Time { return h.Epochs.EpochEnd(h.Epochs.Epoch(now)) }

// Ask implements session.Verifier.
func (h *Host) Ask(c session.Challenge) (session.Question, error) {
	if !c.Account.IsZero() {
		return session.Question{}, session.Refuse(session.CodeInvalidRequest, "An anonymous challenge names no account: leave chain and address out.", nil)
	}
	if c.Purpose == session.PurposeEnrol {
		q := h.Service.NewEnrolment(c.Nonce)
		return session.Question{Message: q.Message, Scope: q.Scope}, nil
	}
	q := h.Service.NewChallenge(c.Nonce, h.Epochs.Epoch(c.IssuedAt))
	return session.Question{Message: q.Message, Scope: q.Scope, Epoch: q.Epoch}, nil
}

// Open implements session.Verifier.
func (h *Host) Open(text string) (session.Presented, error) {
	c, err := ParseCredential(text)
	if err != nil {
		return nil, refused(err)
	}
	return presented{h, c}, nil
}

// presented is a credential that was not verified yet.
type presented struct {
	host       *Host
	credential Credential
}

// Claim implements session.Presented. The pseudonym is of the nullifier that
// the proof shows, which may be anybody's or nobody's.
func (p presented) Claim(now time.Time) session.Claim {
	c := session.Claim{Nonce: p.credential.Challenge}
	if nullifier, err := ParseScalar(p.credential.Proof.Nullifier); err == nil {
		c.Pseudonym = p.host.Pseudonyms.Pseudonym(p.host.Service, p.host.Epochs.Epoch(now), nullifier)
	}
	return c
}

// Verify implements session.Presented: the proof must be for the scope of the
// epoch that is now, so that a member has one pseudonym at a time.
func (p presented) Verify(ctx context.Context, c session.Challenge, now time.Time) (session.Evidence, error) {
	h := p.host
	epoch := h.Epochs.Epoch(now)
	if h.Epochs.Epoch(c.IssuedAt) != epoch {
		return session.Evidence{}, session.Refuse(session.CodeChallengeInvalid, "A new epoch has begun since this challenge. Ask for a new one.", nil)
	}
	shown := h.shown.Load()
	if shown == nil {
		return session.Evidence{}, preparing()
	}
	nullifier, err := h.verifier.VerifySignIn(ctx, h.Service, c.Nonce, epoch, p.credential.Proof, func(root fr.Element) bool { return shown.window.Accepts(root, epoch, now) })
	if err != nil {
		return session.Evidence{}, err
	}
	return session.Evidence{
		Pseudonym: h.Pseudonyms.Pseudonym(h.Service, epoch, nullifier), NotAfter: h.Epochs.EpochEnd(epoch),
	}, nil
}

// Possession implements session.Group.
func (h *Host) Possession(ctx context.Context, c session.Challenge, commitment string, proof []byte) (session.Commitment, error) {
	p, err := ParseProof(proof)
	if err != nil {
		return session.Commitment{}, refused(err)
	}
	e, err := h.verifier.VerifyEnrolment(ctx, h.Service, c.Nonce, commitment, p)
	if err != nil {
		return session.Commitment{}, err
	}
	return e.Bytes(), nil
}
