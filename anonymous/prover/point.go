package prover

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

const sizeG1, sizeG2 = 64, 128

// Points stand in keys as affine coordinates in Montgomery form, which is how
// the library holds them, too; infinity is all zero in both.

func (r *reader) coordinate() (e fp.Element) {
	w := limbs(r.take(32))
	if !below(w, fieldOrder) {
		r.failed = true
	}
	return fp.Element(w)
}

func (r *reader) g1() (p bn254.G1Affine) {
	p.X, p.Y = r.coordinate(), r.coordinate()
	if !p.IsOnCurve() {
		r.failed = true
	}
	return p
}

func (r *reader) g2() (p bn254.G2Affine) {
	p.X.A0, p.X.A1 = r.coordinate(), r.coordinate()
	p.Y.A0, p.Y.A1 = r.coordinate(), r.coordinate()
	if !p.IsInfinity() && !p.IsOnCurve() {
		r.failed = true
	}
	return p
}

// below compares numbers of four words.
func below(a, b [4]uint64) bool {
	var borrow uint64
	for i := range a {
		_, borrow = bits.Sub64(a[i], b[i], borrow)
	}
	return borrow == 1
}
