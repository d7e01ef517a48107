package tree

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// A page is an aligned part of the tree, addressed by its own root. A client
// takes all of them: to ask for one path would be to name oneself.
const (
	pageLevel = 12
	PageSize  = 1 << pageLevel
)

// Why a group that was downloaded is not the signed one.
var (
	ErrPages = errors.New("tree: the pages' roots do not make the signed root")
	ErrPage  = errors.New("tree: the page's members do not make its root")
)

// Pages returns the number of a tree's pages.
func (t *Tree) Pages() int { return pagesOf(t.Size()) }

func pagesOf(size int) int { return (size + PageSize - 1) / PageSize }

// pageLen is how many members page i of a tree has.
func pageLen(size, i int) int { return min(size-i*PageSize, PageSize) }

// PageRoots returns the roots of a tree's pages, in order.
func (t *Tree) PageRoots() []fr.Element {
	roots := make([]fr.Element, t.Pages())
	for i := range roots {
		if t.Pages() > 1 {
			roots[i] = t.levels[pageLevel][i]
		} else {
			roots[i] = t.Root()
		}
	}
	return roots
}

// Page returns the leaves of page i, which change with the tree.
func (t *Tree) Page(i int) ([]fr.Element, error) {
	if i < 0 || i >= t.Pages() {
		return nil, ErrNoMember
	}
	return t.levels[0][i*PageSize:][:pageLen(t.Size(), i)], nil
}

// Root returns the root over leaves.
func Root(leaves []fr.Element) (root fr.Element, err error) {
	var t Tree
	err = t.Append(leaves...)
	return t.Root(), err
}

// PageCheck is what a client checks a downloaded group with. The root and the
// size are a verified snapshot's. A root alone does not tell how many leaves it
// stands for (Poseidon(a, b) is the root of a and b, and of itself alone), so
// the size counts at every step.
type PageCheck struct {
	size  int
	roots []fr.Element
}

// CheckPages compares the pages' roots with the signed root and size.
func CheckPages(root fr.Element, size int, pageRoots []fr.Element) (*PageCheck, error) {
	if size < 1 || size > MaxMembers || len(pageRoots) != pagesOf(size) || root.IsZero() {
		return nil, ErrPages
	}
	if got, err := Root(pageRoots); err != nil || got != root {
		return nil, ErrPages
	}
	return &PageCheck{size, pageRoots}, nil
}

// Len returns how many members page i has.
func (c *PageCheck) Len(i int) int { return pageLen(c.size, i) }

// Page compares a page's members with its root.
func (c *PageCheck) Page(i int, members []fr.Element) error {
	if i < 0 || i >= len(c.roots) || len(members) != pageLen(c.size, i) {
		return ErrPage
	}
	if got, err := Root(members); err != nil || got != c.roots[i] {
		return ErrPage
	}
	return nil
}

// Path returns the path of the member at place within page i, of which members
// are the members, checked here again.
func (c *PageCheck) Path(i, place int, members []fr.Element) (semaphore.Path, error) {
	if i < 0 || i >= len(c.roots) || len(members) != pageLen(c.size, i) {
		return semaphore.Path{}, ErrPage
	}
	var page, above Tree
	if err := errors.Join(page.Append(members...), above.Append(c.roots...)); err != nil {
		return semaphore.Path{}, err
	}
	if page.Root() != c.roots[i] {
		return semaphore.Path{}, ErrPage
	}
	low, err := page.Path(place)
	if err != nil {
		return semaphore.Path{}, err
	}
	high, err := above.Path(i)
	if err != nil {
		return semaphore.Path{}, err
	}
	low.Index |= high.Index << len(low.Siblings)
	low.Siblings = append(low.Siblings, high.Siblings...)
	return low, nil
}

// ParseMembers reads a page's members as they are served. Zero is the place of
// one who left.
func ParseMembers(decimals []string) ([]fr.Element, error) {
	if len(decimals) == 0 || len(decimals) > PageSize {
		return nil, fmt.Errorf("%w: %d members", ErrPage, len(decimals))
	}
	members := make([]fr.Element, len(decimals))
	for i, s := range decimals {
		var err error
		if members[i], err = semaphore.ParseScalar(s); err != nil {
			return nil, err
		}
	}
	return members, nil
}
