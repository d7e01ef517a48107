package prover

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// Prove makes a proof of a statement from its witness and verifies it. If
// there is a progress function, it is called after each of the Steps.
//
// The proof's root is where the statement's path leads. Whether it is the
// group's is for the caller to compare.
func (k *Key) Prove(ctx context.Context, s *Statement, w Witness, progress func(done int)) (*semaphore.Proof, error) {
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
	proof := &semaphore.Proof{
		MerkleTreeDepth: semaphore.Depth,
		MerkleTreeRoot:  semaphore.FormatScalar(w[wireRoot]),
		Nullifier:       semaphore.FormatScalar(w[wireNullifier]),
		Message:         semaphore.FormatNumber(s.Message),
		Scope:           semaphore.FormatNumber(s.Scope),
	}
	for i, c := range []*fp.Element{&p.a.X, &p.a.Y, &p.b.X.A1, &p.b.X.A0, &p.b.Y.A1, &p.b.Y.A0, &p.c.X, &p.c.Y} {
		proof.Points[i] = c.BigInt(new(big.Int)).String()
	}
	return proof, nil
}
