package anonymous

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A fixed point's multiples, so that a product takes one addition per window
// and no doubling. The scalars are public: the time may depend on them.
const (
	windowBits = 6
	windows    = (fr.Bits + windowBits - 1) / windowBits
	windowSize = 1<<windowBits - 1
)

// fixedBase holds j·2^(windowBits·i)·P for 0 < j < 2^windowBits at
// i·windowSize + j - 1.
type fixedBase []bn254.G1Affine

func newFixedBase(p bn254.G1Affine) fixedBase {
	multiples := make([]bn254.G1Jac, 0, windows*windowSize)
	var base bn254.G1Jac
	base.FromAffine(&p)
	for range windows {
		multiple := base
		for range windowSize {
			multiples = append(multiples, multiple)
			multiple.AddAssign(&base)
		}
		base = multiple
	}
	return bn254.BatchJacobianToAffineG1(multiples)
}

// addTo adds s times the point to sum.
func (f fixedBase) addTo(sum *bn254.G1Jac, s *fr.Element) {
	limbs := s.Bits()
	for i := range windows {
		at := i * windowBits
		digit := limbs[at/64] >> (at % 64)
		if at%64 > 64-windowBits && at/64 < len(limbs)-1 {
			digit |= limbs[at/64+1] << (64 - at%64)
		}
		if digit &= windowSize; digit != 0 {
			sum.AddMixed(&f[i*windowSize+int(digit)-1])
		}
	}
}
