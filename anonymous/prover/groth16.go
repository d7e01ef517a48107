package prover

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ErrUnproven says that what came out did not verify: the witness breaks a
// constraint, or the key is damaged.
var ErrUnproven = errors.New("prover: the proof does not verify")

// Steps is how many steps of about the same length a proof takes.
const Steps = 6

type groth16 struct {
	a, c bn254.G1Affine
	b    bn254.G2Affine
}

// prove makes a fresh, blinded proof of the witness and verifies it. After
// each step it calls progress, if there is one.
func (k *Key) prove(ctx context.Context, w Witness, progress func(done int)) (*groth16, error) {
	if len(w) != k.wires {
		return nil, fmt.Errorf("%w: %d wires, the key has %d", ErrWitness, len(w), k.wires)
	}
	var r, s fr.Element
	for _, blinding := range []*fr.Element{&r, &s} {
		if _, err := blinding.SetRandom(); err != nil { // from crypto/rand
			return nil, err
		}
	}
	done := 0
	step := func() error {
		if done++; progress != nil {
			progress(done)
		}
		return ctx.Err()
	}

	a, b1 := k.a.of(w), k.b1.of(w)
	if err := step(); err != nil {
		return nil, err
	}
	b2 := k.b2.of(w)
	if err := step(); err != nil {
		return nil, err
	}
	quotient := k.quotient(w)
	if err := step(); err != nil {
		return nil, err
	}
	h := k.h.of(quotient)
	if err := step(); err != nil {
		return nil, err
	}
	c := k.c.of(w)
	c.AddAssign(&h)
	if err := step(); err != nil {
		return nil, err
	}

	// A = α + Σa + rδ, B = β + Σb + sδ, C = Σc + h + sA + rB - rsδ.
	a.AddMixed(&k.alpha1).AddAssign(times(&k.delta1, &r))
	b1.AddMixed(&k.beta1).AddAssign(times(&k.delta1, &s))
	b2.AddMixed(&k.beta2)
	var blind bn254.G2Jac
	blind.ScalarMultiplication(blind.FromAffine(&k.delta2), s.BigInt(new(big.Int)))
	b2.AddAssign(&blind)
	var p groth16
	p.a.FromJacobian(&a)
	p.b.FromJacobian(&b2)
	var b1Affine bn254.G1Affine
	b1Affine.FromJacobian(&b1)
	var rs fr.Element
	rs.Mul(&r, &s).Neg(&rs)
	c.AddAssign(times(&p.a, &s)).AddAssign(times(&b1Affine, &r)).AddAssign(times(&k.delta1, &rs))
	p.c.FromJacobian(&c)

	if !k.verify(&p, w[1:len(k.public)]) {
		return nil, ErrUnproven
	}
	return &p, step()
}

// verify is the pairing equation e(A,B) = e(α,β)·e(Σ public,γ)·e(C,δ).
func (k *Key) verify(p *groth16, public []fr.Element) bool {
	if len(public) != len(k.public)-1 || p.a.IsInfinity() || p.b.IsInfinity() || p.c.IsInfinity() ||
		!p.a.IsInSubGroup() || !p.b.IsInSubGroup() || !p.c.IsInSubGroup() {
		return false
	}
	var signals bn254.G1Jac
	signals.FromAffine(&k.public[0])
	for i := range public {
		signals.AddAssign(times(&k.public[i+1], &public[i]))
	}
	var minusA, sum bn254.G1Affine
	minusA.Neg(&p.a)
	sum.FromJacobian(&signals)
	ok, err := bn254.PairingCheck(
		[]bn254.G1Affine{minusA, k.alpha1, sum, p.c},
		[]bn254.G2Affine{p.b, k.beta2, k.gamma2, k.delta2},
	)
	return ok && err == nil
}

func times(p *bn254.G1Affine, n *fr.Element) *bn254.G1Jac {
	var q bn254.G1Jac
	q.FromAffine(p)
	return q.ScalarMultiplication(&q, n.BigInt(new(big.Int)))
}
