package prover

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"
)

// Depth is the depth of the circuit. It is pinned: a proof of another depth
// would tell how long its maker's path is.
const Depth = 20

// Why a statement is refused.
var (
	ErrPath  = errors.New("prover: not a path of a tree of depth 20")
	ErrField = errors.New("prover: a number is missing or not in its range")
)

// Statement is what is to be proven: that the identity's commitment is a leaf
// of the tree that the path leads up, for a message and within a scope.
type Statement struct {
	Identity *Identity

	// The LeanIMT path. Siblings holds the levels that have one, from the leaf
	// up; bit i of Index says that Siblings[i] stands on the left. A group of
	// one member has none.
	Index    uint64
	Siblings []*big.Int

	// 256-bit integers, as the proof carries them. The circuit gets their
	// hashes.
	Message, Scope *big.Int
}

func (s *Statement) check() error {
	if err := s.Identity.check(); err != nil {
		return err
	}
	if len(s.Siblings) > Depth || s.Index>>len(s.Siblings) != 0 {
		return ErrPath
	}
	for _, n := range s.Siblings {
		if n == nil || n.Sign() < 0 || n.Cmp(fr.Modulus()) >= 0 {
			return fmt.Errorf("%w: sibling", ErrField)
		}
	}
	for _, n := range []*big.Int{s.Message, s.Scope} {
		if n == nil || n.Sign() < 0 || n.BitLen() > 256 {
			return fmt.Errorf("%w: message and scope", ErrField)
		}
	}
	return nil
}

// hash is Semaphore's: Keccak-256 of 32 bytes, cut to fit the field.
func hash(n *big.Int) *big.Int {
	h := sha3.NewLegacyKeccak256()
	h.Write(n.FillBytes(make([]byte, 32)))
	sum := new(big.Int).SetBytes(h.Sum(nil))
	return sum.Rsh(sum, 8)
}
