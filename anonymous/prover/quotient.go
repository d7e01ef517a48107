package prover

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// quotient returns A·B - C at the odd points, where A, B and C are the
// polynomials that hold the constraints' sides on the domain. C's values there
// are the products of the others', because the witness satisfies them: if it
// does not, the proof fails its verification.
func (k *Key) quotient(w Witness) []fr.Element {
	a, b := k.side(k.rowsA, w), k.side(k.rowsB, w)
	c := make(fr.Vector, len(a))
	c.Mul(a, b)
	for _, side := range []fr.Vector{a, b, c} {
		k.domain.FFTInverse(side, fft.DIF)
		k.domain.FFT(side, fft.DIT, fft.OnCoset())
	}
	a.Mul(a, b)
	a.Sub(a, c)
	return a
}

func (k *Key) side(rows []coefficient, w Witness) fr.Vector {
	v := make(fr.Vector, k.domain.Cardinality)
	for i := range rows {
		var t fr.Element
		at := &v[rows[i].constraint]
		at.Add(at, t.Mul(&rows[i].value, &w[rows[i].wire]))
	}
	return v
}
