package prover

import (
	"encoding/binary"
	"hash/fnv"
	"math/big"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// Signal is one number to be set in the circuit: the halves of its name's
// FNV-1a hash, its place in the array of that name, and its value in words of
// 32 bits, the least significant first.
type Signal struct {
	High, Low, Place uint32
	Words            [8]uint32
}

// Signals returns the circuit's input. It contains the secret.
func (s *Statement) Signals() ([]Signal, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var all []Signal
	set := func(name string, values ...[32]byte) {
		h := fnv.New64a()
		h.Write([]byte(name))
		sum := h.Sum64()
		for i, v := range values {
			all = append(all, Signal{High: uint32(sum >> 32), Low: uint32(sum), Place: uint32(i), Words: words(v)})
		}
	}
	siblings := make([][32]byte, semaphore.Depth) // not looked at beyond the path's length
	for i, n := range s.Path.Siblings {
		siblings[i] = n.Bytes()
	}
	message, scope := semaphore.Hash(s.Message), semaphore.Hash(s.Scope)
	set("secret", number(s.Identity.secret))
	set("merkleProofLength", small(uint32(len(s.Path.Siblings))))
	set("merkleProofIndex", small(s.Path.Index))
	set("merkleProofSiblings", siblings...)
	set("message", message.Bytes())
	set("scope", scope.Bytes())
	return all, nil
}

func number(n *big.Int) (b [32]byte) {
	n.FillBytes(b[:])
	return b
}

func small(n uint32) (b [32]byte) {
	binary.BigEndian.PutUint32(b[28:], n)
	return b
}

func words(n [32]byte) (w [8]uint32) {
	for i := range w {
		w[i] = binary.BigEndian.Uint32(n[28-4*i:])
	}
	return w
}
