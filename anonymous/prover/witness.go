package prover

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// ErrWitness refuses a witness that is malformed or not this statement's.
var ErrWitness = errors.New("prover: not a witness of the statement")

// Witness is a value for each wire of the circuit: one, the public signals,
// and what only the prover knows.
type Witness []fr.Element

// maxWires bounds circuits: 2^20 wires are 32 MiB of witness.
const maxWires = 1 << 20

// ParseWitness reads a witness as circuits write it: 32 bytes a wire, the
// least significant first.
func ParseWitness(b []byte) (Witness, error) {
	if len(b)%32 != 0 || len(b)/32 > maxWires {
		return nil, fmt.Errorf("%w: %d bytes", ErrWitness, len(b))
	}
	w := make(Witness, len(b)/32)
	for i := range w {
		var err error
		if w[i], err = fr.LittleEndian.Element((*[32]byte)(b[32*i:])); err != nil {
			return nil, fmt.Errorf("%w: a value beyond the field", ErrWitness)
		}
	}
	return w, nil
}

// The public signals' wires.
const (
	wireOne = iota
	wireRoot
	wireNullifier
	wireMessage
	wireScope
	publicWires
)

// states checks that the witness is one of the statement's: the circuit got
// what it was meant to.
func (w Witness) states(s *Statement) error {
	if len(w) < publicWires || !w[wireOne].IsOne() {
		return ErrWitness
	}
	if w[wireMessage] != semaphore.Hash(s.Message) || w[wireScope] != semaphore.Hash(s.Scope) {
		return fmt.Errorf("%w: another message or scope", ErrWitness)
	}
	return nil
}

// limbs reads 32 bytes, the least significant first.
func limbs(b []byte) [4]uint64 {
	_ = b[31]
	return [4]uint64{
		binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:]),
	}
}
