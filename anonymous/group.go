package anonymous

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Why a commitment is not taken.
var (
	ErrZero      = errors.New("anonymous: zero is no commitment")
	ErrDuplicate = errors.New("anonymous: the commitment is enrolled already")
)

// ParseCommitment reads an identity commitment: a canonical element of the
// field, and not zero, which marks a place that was left.
func ParseCommitment(s string) (fr.Element, error) {
	c, err := ParseScalar(s)
	if err == nil && c.IsZero() {
		err = ErrZero
	}
	return c, err
}

// Group is the tree of one epoch's members, each in it once. Not for concurrent
// use.
type Group struct {
	tree    Tree
	members map[fr.Element]uint32 // to their places
}

// NewGroup returns the group of members, in their order.
func NewGroup(members ...fr.Element) (*Group, error) {
	g := &Group{members: make(map[fr.Element]uint32, len(members))}
	return g, g.Add(members...)
}

// Tree returns the group's tree, to be read.
func (g *Group) Tree() *Tree { return &g.tree }

// Members returns the number of members; those who left do not count.
func (g *Group) Members() int { return len(g.members) }

// Has reports whether a commitment is a member.
func (g *Group) Has(commitment fr.Element) bool {
	_, ok := g.members[commitment]
	return ok
}

// Add adds a batch of members, or none of them: with ErrZero, ErrDuplicate or
// ErrTreeFull.
func (g *Group) Add(batch ...fr.Element) error {
	fresh := make(map[fr.Element]struct{}, len(batch))
	for i, c := range batch {
		_, twice := fresh[c]
		switch {
		case c.IsZero():
			return fmt.Errorf("%w: number %d of the batch", ErrZero, i)
		case twice, g.Has(c):
			return fmt.Errorf("%w: number %d of the batch", ErrDuplicate, i)
		}
		fresh[c] = struct{}{}
	}
	first := g.tree.Size()
	if err := g.tree.Append(batch...); err != nil {
		return err
	}
	for i, c := range batch {
		g.members[c] = uint32(first + i)
	}
	return nil
}

// Remove lets a member go and returns the place, or answers ErrNoMember. The
// place stays empty, so that the pages of everybody else stay as they are. It is
// for the turn of an epoch: earlier it would show who left.
func (g *Group) Remove(commitment fr.Element) (place int, err error) {
	i, ok := g.members[commitment]
	if !ok {
		return 0, ErrNoMember
	}
	delete(g.members, commitment)
	return int(i), g.tree.Update(int(i), fr.Element{})
}

// restoreGroup returns the group with these places, zero for those that were
// left.
func restoreGroup(places []fr.Element) (*Group, error) {
	g := &Group{members: make(map[fr.Element]uint32, len(places))}
	for i, c := range places {
		if c.IsZero() {
			continue
		}
		if g.Has(c) {
			return nil, ErrDuplicate
		}
		g.members[c] = uint32(i)
	}
	return g, g.tree.Append(places...)
}
