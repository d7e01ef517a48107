package anonymous

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/tree"
)

// The group's tree and its pages, which browsers compute too, are package
// tree's.
type (
	Tree      = tree.Tree
	PageCheck = tree.PageCheck
)

// Bounds of a tree and of a page.
const (
	MaxMembers = tree.MaxMembers
	PageSize   = tree.PageSize
)

// Why a tree does not change, and why a group that was downloaded is not the
// signed one.
var (
	ErrTreeFull = tree.ErrTreeFull
	ErrNoMember = tree.ErrNoMember
	ErrPages    = tree.ErrPages
	ErrPage     = tree.ErrPage
)

// Root returns the root over leaves.
func Root(leaves []fr.Element) (fr.Element, error) { return tree.Root(leaves) }

// CheckPages compares the pages' roots with the signed root and size.
func CheckPages(root fr.Element, size int, pageRoots []fr.Element) (*PageCheck, error) {
	return tree.CheckPages(root, size, pageRoots)
}

// ParseMembers reads a page's members as they are served.
func ParseMembers(decimals []string) ([]fr.Element, error) { return tree.ParseMembers(decimals) }
