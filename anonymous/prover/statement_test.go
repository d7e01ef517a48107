package prover

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func TestStatementsOutOfRange(t *testing.T) {
	who := newIdentity(t)
	good := func() *Statement { return statementIn(groupWith(t, who, 2, 5), who, 2) }
	two256 := new(big.Int).Lsh(big.NewInt(1), 256)
	for name, c := range map[string]struct {
		breaks func(*Statement)
		want   error
	}{
		"as it is":         {func(*Statement) {}, nil},
		"no identity":      {func(s *Statement) { s.Identity = nil }, ErrSecret},
		"an empty one":     {func(s *Statement) { s.Identity = new(Identity) }, ErrSecret},
		"secret 0":         {func(s *Statement) { s.Identity = &Identity{new(big.Int)} }, ErrSecret},
		"secret l":         {func(s *Statement) { s.Identity = &Identity{subgroupOrder()} }, ErrSecret},
		"secret -1":        {func(s *Statement) { s.Identity = &Identity{big.NewInt(-1)} }, ErrSecret},
		"index too long":   {func(s *Statement) { s.Index = 8 }, ErrPath},
		"21 levels":        {func(s *Statement) { s.Siblings = make([]*big.Int, Depth+1) }, ErrPath},
		"missing sibling":  {func(s *Statement) { s.Siblings[1] = nil }, ErrField},
		"sibling r":        {func(s *Statement) { s.Siblings[1] = fr.Modulus() }, ErrField},
		"negative sibling": {func(s *Statement) { s.Siblings[1] = big.NewInt(-1) }, ErrField},
		"no message":       {func(s *Statement) { s.Message = nil }, ErrField},
		"message 2^256":    {func(s *Statement) { s.Message = two256 }, ErrField},
		"negative scope":   {func(s *Statement) { s.Scope = big.NewInt(-1) }, ErrField},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			c.breaks(s)
			if _, err := s.Signals(); !errors.Is(err, c.want) {
				t.Errorf("signals: %v", err)
			}
			if c.want != nil {
				if _, err := testProver(t).Prove(t.Context(), s); !errors.Is(err, c.want) {
					t.Errorf("prove: %v", err)
				}
			}
		})
	}
}

func TestSecretsAreScalarsAndStayInside(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		who := newIdentity(t)
		again := must(ParseIdentity(who.Secret()))(t)
		if again.Commitment() != who.Commitment() || seen[who.Secret()] {
			t.Fatal("not the same, or drawn twice")
		}
		seen[who.Secret()] = true
		for _, s := range []string{fmt.Sprint(who), fmt.Sprintf("%+v %#v %s %d %x", who, who, who, who, who), fmt.Sprintf("%+v", Statement{Identity: who})} {
			if strings.Contains(s, who.Secret()) || strings.Contains(s, who.secret.Text(16)) {
				t.Fatal("written out")
			}
		}
	}
}

// circomlib's test vector for two inputs.
func TestPoseidon(t *testing.T) {
	got := decimal(poseidon(field(big.NewInt(1)), field(big.NewInt(2))))
	if want := "7853200120776062878684798364095072458815029376092732009249414926327459813530"; got != want {
		t.Errorf("%s", got)
	}
}

func TestNumbersHaveOneSpelling(t *testing.T) {
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)).String()
	for _, s := range []string{"0", "1", "10", most} {
		if n, err := ParseNumber(s); err != nil || n.String() != s {
			t.Errorf("%s: %v %v", s, n, err)
		}
	}
	above := new(big.Int).Lsh(big.NewInt(1), 256).String()
	for _, s := range []string{"", "00", "01", "-1", "+1", "0x1", "1_0", "1e3", " 1", "1\n", "１", "1.0", above, strings.Repeat("9", 79), strings.Repeat("1", 1<<20)} {
		if _, err := ParseNumber(s); !errors.Is(err, ErrDecimal) {
			t.Errorf("%.20q: %v", s, err)
		}
	}
}

// Elements near the modulus are positive, too.
func TestDecimalsAreNeverNegative(t *testing.T) {
	var e fr.Element
	e.SetInt64(-1)
	if got, want := decimal(e), new(big.Int).Sub(fr.Modulus(), big.NewInt(1)).String(); got != want {
		t.Errorf("%s", got)
	}
}
