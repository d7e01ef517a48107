// Package tree is the tree of a group's members and the pages that it is handed
// out in: what a service and its members' devices compute alike. Like package
// semaphore it is sent to browsers.
package tree

import (
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// MaxMembers is how many members a tree of the pinned depth can hold.
const MaxMembers = 1 << semaphore.Depth

// Why a tree does not change.
var (
	ErrTreeFull = errors.New("tree: the group is full")
	ErrNoMember = errors.New("tree: the group has no such place")
)

// Tree is a LeanIMT, the incremental Merkle tree of Semaphore v4
// (https://zkkit.org/leanimt-paper.pdf): a node is Poseidon of its two
// children, and a node without a right child is its left child. Its depth
// grows with its leaves. The zero Tree is empty. Not for concurrent use.
type Tree struct {
	levels [semaphore.Depth + 1][]fr.Element // levels[0] are the leaves
}

// Size returns the number of leaves, removed ones included.
func (t *Tree) Size() int { return len(t.levels[0]) }

// Leaf returns a leaf; zero if it was removed.
func (t *Tree) Leaf(i int) fr.Element { return t.levels[0][i] }

// Root returns the root. That of a tree without leaves is zero, and so is that
// of a tree whose one leaf was removed: such a root must be accepted nowhere.
func (t *Tree) Root() (root fr.Element) {
	if t.Size() > 0 {
		root = t.levels[depthOf(t.Size())][0]
	}
	return root
}

// depthOf is the number of levels above the leaves.
func depthOf(size int) (depth int) {
	for ; size > 1; size = (size + 1) / 2 {
		depth++
	}
	return depth
}

// Append adds leaves at the end, in one pass over the nodes they change.
func (t *Tree) Append(leaves ...fr.Element) error {
	if len(leaves) > MaxMembers-t.Size() {
		return ErrTreeFull
	}
	if len(leaves) == 0 {
		return nil
	}
	first := t.Size()
	t.levels[0] = append(t.levels[0], leaves...)
	t.rehash(first, t.Size())
	return nil
}

// Update replaces a leaf. Zero removes it: its place stays.
func (t *Tree) Update(i int, leaf fr.Element) error {
	if i < 0 || i >= t.Size() {
		return ErrNoMember
	}
	t.levels[0][i] = leaf
	t.rehash(i, i+1)
	return nil
}

// rehash makes the nodes above the leaves first to end-1 anew.
func (t *Tree) rehash(first, end int) {
	for level := range depthOf(t.Size()) {
		below := t.levels[level]
		size := (len(below) + 1) / 2
		first, end = first/2, (end+1)/2
		here := slices.Grow(t.levels[level+1], size-len(t.levels[level+1]))[:size]
		t.levels[level+1] = here
		eachPart(first, end, func(from, to int) {
			for i := from; i < to; i++ {
				if 2*i+1 < len(below) {
					here[i] = semaphore.Poseidon(below[2*i], below[2*i+1])
				} else {
					here[i] = below[2*i]
				}
			}
		})
	}
}

// minPart is how many hashes are worth a goroutine of their own.
const minPart = 64

// eachPart runs do over the numbers from first to end-1 in parts, on all cores.
func eachPart(first, end int, do func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), (end-first)/minPart)
	if parts <= 1 {
		do(first, end)
		return
	}
	var wg sync.WaitGroup
	for i := range parts {
		from, to := first+(end-first)*i/parts, first+(end-first)*(i+1)/parts
		wg.Go(func() { do(from, to) })
	}
	wg.Wait()
}

// Path returns the path of leaf i.
func (t *Tree) Path(i int) (p semaphore.Path, err error) {
	if i < 0 || i >= t.Size() {
		return p, ErrNoMember
	}
	for level := range depthOf(t.Size()) {
		if sibling := i ^ 1; sibling < len(t.levels[level]) {
			p.Index |= uint32(i&1) << len(p.Siblings)
			p.Siblings = append(p.Siblings, t.levels[level][sibling])
		}
		i /= 2
	}
	return p, nil
}
