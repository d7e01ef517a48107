package semaphore

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The instance of Poseidon that Semaphore v4, its trees and its identities use:
// circomlib's for two inputs.
const (
	poseidonWidth   = 3
	poseidonFull    = 8  // rounds with three S-boxes
	poseidonPartial = 57 // rounds with one
	poseidonRounds  = poseidonFull + poseidonPartial
)

// grain is the shift register, 80 bits long, from which Poseidon's constants
// are drawn (Poseidon, https://eprint.iacr.org/2019/458, appendix E). bits is a
// ring whose oldest bit stands at head.
type grain struct {
	bits [80]byte
	head int
}

func newGrain() *grain {
	g := new(grain)
	at := 0
	put := func(value, width int) {
		for i := width - 1; i >= 0; i-- {
			g.bits[at] = byte(value>>i) & 1
			at++
		}
	}
	put(1, 2) // a prime field
	put(0, 4) // the S-box x^5
	put(fr.Bits, 12)
	put(poseidonWidth, 12)
	put(poseidonFull, 10)
	put(poseidonPartial, 10)
	put(1<<30-1, 30)
	for range 160 {
		g.step()
	}
	return g
}

func (g *grain) step() byte {
	at := func(i int) byte { return g.bits[(g.head+i)%len(g.bits)] }
	b := at(62) ^ at(51) ^ at(38) ^ at(23) ^ at(13) ^ at(0)
	g.bits[g.head] = b
	g.head = (g.head + 1) % len(g.bits)
	return b
}

// bit draws in pairs: the first bit says whether the second counts.
func (g *grain) bit() byte {
	for g.step() == 0 {
		g.step()
	}
	return g.step()
}

func (g *grain) number() *big.Int {
	n := new(big.Int)
	for range fr.Bits {
		n.Lsh(n, 1)
		n.SetBit(n, 0, uint(g.bit()))
	}
	return n
}

type (
	vector3 [poseidonWidth]fr.Element
	matrix3 [poseidonWidth]vector3
)

// roundConstants draws the constants of all rounds: numbers that are not below
// the field's order are thrown away.
func (g *grain) roundConstants() (c [poseidonRounds]vector3) {
	for r := range c {
		for i := range c[r] {
			n := g.number()
			for n.Cmp(fr.Modulus()) >= 0 {
				n = g.number()
			}
			c[r][i].SetBigInt(n)
		}
	}
	return c
}

// mixMatrix draws the Cauchy matrix 1/(x+y), after the round constants: here
// numbers are reduced. For this instance the first draw is a good one.
func (g *grain) mixMatrix() (m matrix3) {
	var xs, ys vector3
	for _, v := range []*vector3{&xs, &ys} {
		for i := range v {
			v[i].SetBigInt(g.number())
		}
	}
	for i := range m {
		for j := range m[i] {
			m[i][j].Add(&xs[i], &ys[j])
			m[i][j].Inverse(&m[i][j])
		}
	}
	return m
}
