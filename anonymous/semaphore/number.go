package semaphore

import (
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Why a number's text is refused; for the log.
var (
	ErrNumber = errors.New("semaphore: not a canonical decimal number")
	ErrRange  = errors.New("semaphore: a number out of its range")
)

// maxDigits is the length of 2^256 - 1.
const maxDigits = 78

// ParseNumber reads a number below 2^256 in its one spelling: digits, no sign,
// no leading zero. The bytes are big-endian.
func ParseNumber(s string) (b [32]byte, err error) {
	if len(s) == 0 || len(s) > maxDigits || s[0] == '0' && len(s) > 1 {
		return b, ErrNumber
	}
	var limbs [4]uint64 // little-endian
	for len(s) > 0 {
		n := min(len(s), 19) // 10^19 is below 2^64
		var chunk, scale uint64 = 0, 1
		for i := range n {
			d := s[i] - '0'
			if d > 9 {
				return b, ErrNumber
			}
			chunk, scale = chunk*10+uint64(d), scale*10
		}
		carry := chunk
		for i := range limbs {
			hi, lo := bits.Mul64(limbs[i], scale)
			sum, c := bits.Add64(lo, carry, 0)
			limbs[i], carry = sum, hi+c
		}
		if carry != 0 {
			return b, ErrRange
		}
		s = s[n:]
	}
	for i, limb := range limbs {
		binary.BigEndian.PutUint64(b[24-8*i:], limb)
	}
	return b, nil
}

// FormatNumber is the inverse of [ParseNumber].
func FormatNumber(b [32]byte) string { return new(big.Int).SetBytes(b[:]).String() }

// ParseScalar reads an element of BN254's scalar field: canonical, and below
// the field's order. An alias n + r of a number n is no number: whoever takes
// aliases gives one nullifier several names.
func ParseScalar(s string) (e fr.Element, err error) {
	b, err := ParseNumber(s)
	if err != nil {
		return e, err
	}
	if e.SetBytesCanonical(b[:]) != nil {
		return e, ErrRange
	}
	return e, nil
}

// FormatScalar is the inverse of [ParseScalar].
func FormatScalar(e fr.Element) string { return FormatNumber(e.Bytes()) }
