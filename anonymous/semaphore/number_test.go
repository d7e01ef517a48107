package semaphore

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "00", "7", "-1", "+1", " 1", fr.Modulus().String(), new(big.Int).Lsh(big.NewInt(1), 256).String(), FormatNumber([32]byte{0xff})} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, ok := new(big.Int).SetString(s, 10)
		ok = ok && want.Sign() >= 0 && want.BitLen() <= 256 && want.String() == s
		b, err := ParseNumber(s)
		if (err == nil) != ok || ok && (new(big.Int).SetBytes(b[:]).Cmp(want) != 0 || FormatNumber(b) != s) {
			t.Errorf("%q: %x, %v", s, b, err)
		}
		e, err := ParseScalar(s)
		if (err == nil) != (ok && want.Cmp(fr.Modulus()) < 0) || err == nil && FormatScalar(e) != s {
			t.Errorf("%q as a scalar: %v", s, err)
		}
	})
}

func TestNumbersHaveOneSpelling(t *testing.T) {
	two256 := new(big.Int).Lsh(big.NewInt(1), 256)
	most := new(big.Int).Sub(two256, big.NewInt(1)).String()
	for _, s := range []string{"0", "1", "10", most} {
		if n, err := ParseNumber(s); err != nil || FormatNumber(n) != s {
			t.Errorf("%s: %v %v", s, n, err)
		}
	}
	for _, s := range []string{"", "00", "01", "-1", "+1", "0x1", "1_0", "1e3", " 1", "1\n", "１", "1.0", strings.Repeat("9", 79), strings.Repeat("1", 1<<20)} {
		if _, err := ParseNumber(s); !errors.Is(err, ErrNumber) {
			t.Errorf("%.20q: %v", s, err)
		}
	}
	for _, n := range []*big.Int{two256, new(big.Int).Add(two256, fr.Modulus())} {
		if _, err := ParseNumber(n.String()); !errors.Is(err, ErrRange) {
			t.Errorf("%v: %v", n, err)
		}
	}
}

// Elements near the order are positive, too, and have no second name.
func TestScalarsAreBelowTheOrder(t *testing.T) {
	var e fr.Element
	e.SetInt64(-1)
	last := new(big.Int).Sub(fr.Modulus(), big.NewInt(1)).String()
	if got := FormatScalar(e); got != last {
		t.Errorf("%s", got)
	}
	if got, err := ParseScalar(last); err != nil || got != e {
		t.Errorf("%v, %v", got, err)
	}
	for n := range int64(3) {
		alias := new(big.Int).Add(fr.Modulus(), big.NewInt(n)).String()
		if _, err := ParseScalar(alias); !errors.Is(err, ErrRange) {
			t.Errorf("r + %d: %v", n, err)
		}
	}
}
