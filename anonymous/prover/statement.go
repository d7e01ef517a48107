package prover

import (
	"errors"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// ErrPath refuses a path that no tree of the pinned depth has.
var ErrPath = errors.New("prover: not a path of a tree of depth 20")

// Statement is what is to be proven: that the identity's commitment is a leaf
// of the tree that the path leads up, for a message and within a scope. These
// are 256-bit numbers, as the proof carries them; the circuit gets their
// hashes.
type Statement struct {
	Identity       *Identity
	Path           semaphore.Path
	Message, Scope [32]byte
}

func (s *Statement) check() error {
	if err := s.Identity.check(); err != nil {
		return err
	}
	if n := len(s.Path.Siblings); n > semaphore.Depth || s.Path.Index>>n != 0 {
		return ErrPath
	}
	return nil
}
