package prover

import (
	"errors"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ErrDecimal refuses a number that is not written in its one spelling, or is
// longer than 256 bits.
var ErrDecimal = errors.New("prover: not a decimal number of at most 256 bits")

// ParseNumber reads a decimal number as proofs hold them.
func ParseNumber(s string) (*big.Int, error) {
	if s == "" || len(s) > 78 || s[0] == '0' && s != "0" {
		return nil, ErrDecimal
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return nil, ErrDecimal
		}
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || n.BitLen() > 256 {
		return nil, ErrDecimal
	}
	return n, nil
}

// decimal writes an element in its one spelling; the library's own String
// writes those near the modulus as negative.
func decimal(e fr.Element) string {
	return e.BigInt(new(big.Int)).String()
}
