//go:build !js

package prover

import (
	"context"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// Prover proves natively.
type Prover struct {
	circuit *Circuit
	key     *Key
}

// New reads a circuit and its key.
func New(ctx context.Context, circuit, key []byte) (*Prover, error) {
	k, err := ParseKey(key)
	if err != nil {
		return nil, err
	}
	c, err := CompileCircuit(ctx, circuit)
	if err != nil {
		return nil, err
	}
	return &Prover{c, k}, nil
}

// Close frees what New took.
func (p *Prover) Close(ctx context.Context) error { return p.circuit.Close(ctx) }

// Prove makes a proof of a statement and verifies it.
func (p *Prover) Prove(ctx context.Context, s *Statement) (*semaphore.Proof, error) {
	signals, err := s.Signals()
	if err != nil {
		return nil, err
	}
	w, err := p.circuit.Witness(ctx, signals)
	if err != nil {
		return nil, err
	}
	return p.key.Prove(ctx, s, w, nil)
}
