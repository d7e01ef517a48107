package prover

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

func TestStatementsOutOfRange(t *testing.T) {
	who := newIdentity(t)
	good := func() *Statement { return statementIn(t, groupWith(t, who, 2, 5), who, 2) }
	for name, c := range map[string]struct {
		breaks func(*Statement)
		want   error
	}{
		"as it is":       {func(*Statement) {}, nil},
		"no identity":    {func(s *Statement) { s.Identity = nil }, ErrSecret},
		"an empty one":   {func(s *Statement) { s.Identity = new(Identity) }, ErrSecret},
		"secret 0":       {func(s *Statement) { s.Identity = &Identity{new(big.Int)} }, ErrSecret},
		"secret l":       {func(s *Statement) { s.Identity = &Identity{subgroupOrder()} }, ErrSecret},
		"secret -1":      {func(s *Statement) { s.Identity = &Identity{big.NewInt(-1)} }, ErrSecret},
		"index too long": {func(s *Statement) { s.Path.Index = 8 }, ErrPath},
		"21 levels":      {func(s *Statement) { s.Path.Siblings = make([]fr.Element, semaphore.Depth+1) }, ErrPath},
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
