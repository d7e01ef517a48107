package prover

import (
	"hash/fnv"
	"math/big"
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
	set := func(name string, values ...*big.Int) {
		h := fnv.New64a()
		h.Write([]byte(name))
		sum := h.Sum64()
		for i, v := range values {
			all = append(all, Signal{High: uint32(sum >> 32), Low: uint32(sum), Place: uint32(i), Words: words(v)})
		}
	}
	siblings := make([]*big.Int, Depth)
	for i := range siblings {
		siblings[i] = new(big.Int) // not looked at beyond the path's length
	}
	copy(siblings, s.Siblings)
	set("secret", s.Identity.secret)
	set("merkleProofLength", big.NewInt(int64(len(s.Siblings))))
	set("merkleProofIndex", new(big.Int).SetUint64(s.Index))
	set("merkleProofSiblings", siblings...)
	set("message", hash(s.Message))
	set("scope", hash(s.Scope))
	return all, nil
}

func words(n *big.Int) (w [8]uint32) {
	b := n.FillBytes(make([]byte, 32))
	for i := range w {
		at := b[28-4*i:]
		w[i] = uint32(at[0])<<24 | uint32(at[1])<<16 | uint32(at[2])<<8 | uint32(at[3])
	}
	return w
}
