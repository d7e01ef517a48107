package prover

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// Proof is a proof in the shape of Semaphore's own libraries: all numbers in
// decimal, and the points as A.x, A.y, B.x₁, B.x₀, B.y₁, B.y₀, C.x, C.y.
type Proof struct {
	MerkleTreeDepth int       `json:"merkleTreeDepth"`
	MerkleTreeRoot  string    `json:"merkleTreeRoot"`
	Nullifier       string    `json:"nullifier"`
	Message         string    `json:"message"`
	Scope           string    `json:"scope"`
	Points          [8]string `json:"points"`
}

// Prove makes a proof of a statement from its witness and verifies it. If
// there is a progress function, it is called after each of the Steps.
//
// The proof's root is where the statement's path leads. Whether it is the
// group's is for the caller to compare.
func (k *Key) Prove(ctx context.Context, s *Statement, w Witness, progress func(done int)) (*Proof, error) {
	if len(k.public) != publicWires {
		return nil, fmt.Errorf("%w: another circuit's", ErrKey)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := w.states(s); err != nil {
		return nil, err
	}
	p, err := k.prove(ctx, w, progress)
	if err != nil {
		return nil, err
	}
	proof := &Proof{
		MerkleTreeDepth: Depth,
		MerkleTreeRoot:  decimal(w[wireRoot]),
		Nullifier:       decimal(w[wireNullifier]),
		Message:         s.Message.String(),
		Scope:           s.Scope.String(),
	}
	for i, c := range []*fp.Element{&p.a.X, &p.a.Y, &p.b.X.A1, &p.b.X.A0, &p.b.Y.A1, &p.b.Y.A0, &p.c.X, &p.c.Y} {
		proof.Points[i] = c.BigInt(new(big.Int)).String()
	}
	return proof, nil
}
