package anonymous

import (
	"crypto/ed25519"
	"errors"
	"time"
)

// Why a client does not follow a list of snapshots.
var (
	ErrFork     = errors.New("anonymous: the service shows another history of the group than before")
	ErrRollback = errors.New("anonymous: the service shows an older group than before")
	ErrGap      = errors.New("anonymous: snapshots are missing between the known one and the first of the list")
	ErrFuture   = errors.New("anonymous: a snapshot is dated in the future")
)

// Chain is what a client keeps of the snapshots: the last one it saw. It follows
// only what grows out of that one, so a service that ever shows a client a
// group of its own must go on doing so for ever, and two clients find out by
// comparing heads. The first list is taken on trust. Not for concurrent use.
type Chain struct {
	service ServiceID
	key     ed25519.PublicKey
	head    *SignedSnapshot
}

// NewChain returns a chain that goes on from head; nil at the first contact.
func NewChain(service ServiceID, key ed25519.PublicKey, head *SignedSnapshot) *Chain {
	return &Chain{service, key, head}
}

// Head returns the newest snapshot the client knows, to be kept; false before
// the first contact.
func (c *Chain) Head() (SignedSnapshot, bool) {
	if c.head == nil {
		return SignedSnapshot{}, false
	}
	return *c.head, true
}

// Extend follows a list of snapshots, oldest first, which may begin with known
// ones. Every link is checked; after an error the chain is what it was.
func (c *Chain) Extend(list []SignedSnapshot, now time.Time) error {
	if len(list) == 0 {
		return nil
	}
	for i := range list {
		s := &list[i]
		if err := s.Verify(c.service, c.key); err != nil {
			return err
		}
		if s.CreatedAt.After(now.Add(ClockSlack)) {
			return ErrFuture
		}
		if i > 0 {
			if err := c.follows(&list[i-1], s); err != nil {
				return err
			}
		}
	}
	first, last := &list[0], list[len(list)-1]
	if c.head != nil {
		switch {
		case last.Number < c.head.Number:
			return ErrRollback
		case first.Number > c.head.Number+1:
			return ErrGap
		case first.Number == c.head.Number+1:
			if err := c.follows(c.head, first); err != nil {
				return err
			}
		case list[c.head.Number-first.Number].Hash(c.service) != c.head.Hash(c.service):
			return ErrFork
		}
	}
	c.head = &last
	return nil
}

// follows tells whether next is a successor of s. Within an epoch nobody goes.
func (c *Chain) follows(s, next *SignedSnapshot) error {
	if next.Number != s.Number+1 || next.Previous != s.Hash(c.service) || next.CreatedAt.Before(s.CreatedAt) ||
		next.Epoch < s.Epoch || next.Epoch == s.Epoch && next.Size < s.Size {
		return ErrFork
	}
	return nil
}
