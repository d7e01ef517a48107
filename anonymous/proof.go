package anonymous

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/api"
)

// Depth is the only depth a proof may have.
const Depth = semaphore.Depth

// maxProof bounds a proof's JSON: twelve numbers and their names.
const maxProof = 2048

// Proof is a proof as it comes from outside: nothing in it is checked.
type Proof semaphore.Proof

// Why a proof is refused; for the log.
var (
	ErrShape    = errors.New("anonymous: not a proof's JSON")
	ErrDepth    = errors.New("anonymous: the proof's depth is not 20")
	ErrRoot     = errors.New("anonymous: no accepted snapshot has the proof's root")
	ErrMessage  = errors.New("anonymous: the proof answers another challenge")
	ErrScope    = errors.New("anonymous: the proof is for another scope")
	ErrInfinity = errors.New("anonymous: a point of the proof is infinity")
	ErrCurve    = errors.New("anonymous: a point of the proof is not on its curve")
	ErrSubgroup = errors.New("anonymous: a point of the proof is not in its subgroup")
	ErrProof    = errors.New("anonymous: the proof does not verify")
)

// ParseProof reads a proof's JSON: bounded and strict. It looks at no number.
func ParseProof(b []byte) (p Proof, err error) {
	if len(b) > maxProof {
		return p, fmt.Errorf("%w: longer than %d bytes", ErrShape, maxProof)
	}
	if err := api.Unmarshal(b, &p); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrShape, err)
	}
	return p, nil
}

// points reads the proof's three points and checks that each is on its curve.
// The group of A and C has a prime order, so that is enough for them; B must
// still be looked for in its subgroup, which takes longer.
func (p *Proof) points() (a, c bn254.G1Affine, b bn254.G2Affine, err error) {
	for i, to := range []interface {
		SetBytesCanonical([]byte) error
	}{&a.X, &a.Y, &b.X.A1, &b.X.A0, &b.Y.A1, &b.Y.A0, &c.X, &c.Y} {
		number, err := semaphore.ParseNumber(p.Points[i])
		if err != nil {
			return a, c, b, err
		}
		if to.SetBytesCanonical(number[:]) != nil {
			return a, c, b, semaphore.ErrRange
		}
	}
	switch {
	case a.IsInfinity(), b.IsInfinity(), c.IsInfinity():
		err = ErrInfinity
	case !a.IsOnCurve(), !c.IsOnCurve(), !b.IsOnCurve():
		err = ErrCurve
	}
	return a, c, b, err
}
