package semaphore

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Poseidon is the hash of two field elements that Semaphore v4 uses for tree
// nodes, commitments and nullifiers (https://eprint.iacr.org/2019/458, with
// circomlib's parameters).
func Poseidon(a, b fr.Element) fr.Element {
	return constants().hash(&a, &b)
}

// permutation is Poseidon with its partial rounds rewritten (the paper's
// appendix B): each touches the state with five products in place of nine.
type permutation struct {
	full    [poseidonFull]vector3 // constants added before a full round's S-boxes
	partial [poseidonPartial]fr.Element
	mix     matrix3 // after a full round
	enter   matrix3 // after the last full round before the partial ones
	sparse  [poseidonPartial]sparse
}

// sparse is the matrix whose first row is row, whose first column is row[0]
// and column, and which is the identity elsewhere.
type sparse struct {
	row    vector3
	column [2]fr.Element
}

// constants are drawn at first use, in some milliseconds.
var constants = sync.OnceValue(newPermutation)

func newPermutation() *permutation {
	g := newGrain()
	c := g.roundConstants()
	m := g.mixMatrix()
	p := &permutation{mix: m}

	// Backwards: a round's matrix is split into a sparse one and one that
	// leaves the first element alone. The latter commutes with the round's one
	// S-box, so it moves into the round before; its constants move along.
	const half = poseidonFull / 2
	before := m
	for r := poseidonPartial - 1; r >= 0; r-- {
		var inner, inverse matrix3
		inner[0][0].SetOne()
		for i := 1; i < poseidonWidth; i++ {
			for j := 1; j < poseidonWidth; j++ {
				inner[i][j] = before[i][j]
			}
		}
		inverse = inner.inverse()
		s := before.times(&inverse)
		p.sparse[r] = sparse{row: s[0], column: [2]fr.Element{s[1][0], s[2][0]}}
		c[half+r] = inner.apply(c[half+r])
		before = inner.times(&m)
	}
	p.enter = before

	// Forwards: of a partial round's constants only the first must be added
	// before the S-box; the others pass through the matrix into the next.
	for r := range p.partial {
		here := c[half+r]
		p.partial[r] = here[0]
		here[0].SetZero()
		p.sparse[r].apply(&here)
		next := &c[half+r+1]
		for i := range next {
			next[i].Add(&next[i], &here[i])
		}
	}
	copy(p.full[:half], c[:half])
	copy(p.full[half:], c[half+poseidonPartial:])
	return p
}

func (p *permutation) hash(a, b *fr.Element) fr.Element {
	s := vector3{{}, *a, *b}
	const half = poseidonFull / 2
	for r := range p.full {
		for i := range s {
			s[i].Add(&s[i], &p.full[r][i])
			fifth(&s[i])
		}
		if r != half-1 {
			s = p.mix.apply(s)
			continue
		}
		s = p.enter.apply(s)
		for r := range p.partial {
			s[0].Add(&s[0], &p.partial[r])
			fifth(&s[0])
			p.sparse[r].apply(&s)
		}
	}
	return s[0]
}

func fifth(x *fr.Element) {
	var y fr.Element
	y.Square(x)
	y.Square(&y)
	x.Mul(x, &y)
}

func (m *sparse) apply(s *vector3) {
	var first, t fr.Element
	first.Mul(&m.row[0], &s[0])
	t.Mul(&m.row[1], &s[1])
	first.Add(&first, &t)
	t.Mul(&m.row[2], &s[2])
	first.Add(&first, &t)
	for i := range m.column {
		t.Mul(&m.column[i], &s[0])
		s[i+1].Add(&s[i+1], &t)
	}
	s[0] = first
}

func (m *matrix3) apply(v vector3) (w vector3) {
	var t fr.Element
	for i := range m {
		for j := range v {
			t.Mul(&m[i][j], &v[j])
			w[i].Add(&w[i], &t)
		}
	}
	return w
}

func (m *matrix3) times(n *matrix3) (p matrix3) {
	var t fr.Element
	for i := range p {
		for j := range p[i] {
			for k := range n {
				t.Mul(&m[i][k], &n[k][j])
				p[i][j].Add(&p[i][j], &t)
			}
		}
	}
	return p
}

// inverse is of a matrix that leaves the first element alone.
func (m *matrix3) inverse() (n matrix3) {
	var d, t fr.Element
	d.Mul(&m[1][1], &m[2][2])
	t.Mul(&m[1][2], &m[2][1])
	d.Sub(&d, &t)
	d.Inverse(&d)
	n[0][0].SetOne()
	n[1][1].Mul(&m[2][2], &d)
	n[2][2].Mul(&m[1][1], &d)
	n[1][2].Mul(&m[1][2], &d)
	n[1][2].Neg(&n[1][2])
	n[2][1].Mul(&m[2][1], &d)
	n[2][1].Neg(&n[2][1])
	return n
}
