package anonymous

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func TestAFixedPointsProductIsTheLibrarys(t *testing.T) {
	_, _, g, _ := bn254.Generators()
	f := newFixedBase(g)
	check := func(s fr.Element) {
		t.Helper()
		var sum bn254.G1Jac
		f.addTo(&sum, &s)
		var got, want bn254.G1Affine
		got.FromJacobian(&sum)
		want.ScalarMultiplication(&g, s.BigInt(new(big.Int)))
		if got != want {
			t.Errorf("%s times the point is another", s.String())
		}
	}
	var s fr.Element
	check(s)
	for bit := range fr.Bits {
		s.SetBigInt(new(big.Int).Lsh(big.NewInt(1), uint(bit)))
		check(s)
		s.Neg(&s)
		check(s)
	}
	for range 50 {
		check(*s.MustSetRandom())
	}
}
