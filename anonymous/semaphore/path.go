package semaphore

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// Depth is the only depth a proof may have. Left to itself a prover takes the
// number of siblings on its member's path, which tells the member's place.
const Depth = 20

// Path is what a member's proof needs of a LeanIMT: the siblings from the leaf
// up, and whether the node stood to their right, one bit each with the leaf's
// lowest. A level where the node has no sibling takes no part. A group of one
// member has none.
type Path struct {
	Index    uint32
	Siblings []fr.Element
}

// Root returns the root that a leaf has by its path.
func (p Path) Root(leaf fr.Element) fr.Element {
	for i, sibling := range p.Siblings {
		if p.Index>>i&1 == 0 {
			leaf = Poseidon(leaf, sibling)
		} else {
			leaf = Poseidon(sibling, leaf)
		}
	}
	return leaf
}
