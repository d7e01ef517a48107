package prover

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

func TestMalformedWitnesses(t *testing.T) {
	r := fr.Modulus().FillBytes(make([]byte, 32))
	slices.Reverse(r)
	for name, b := range map[string][]byte{
		"half a wire": make([]byte, 48),
		"r":           r,
		"2^256-1":     bytes.Repeat([]byte{0xff}, 32),
		"too many":    make([]byte, 32*(maxWires+1)),
	} {
		if _, err := ParseWitness(b); !errors.Is(err, ErrWitness) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r[0]--
	w := must(ParseWitness(append(r, 5)[:32]))(t)
	if semaphore.FormatScalar(w[0]) != new(big.Int).Sub(fr.Modulus(), big.NewInt(1)).String() {
		t.Error("r-1 is another number")
	}
}

// A browser hands the witness in, so it may be anything.
func TestAnotherStatementsWitness(t *testing.T) {
	k := must(parsedKey())(t)
	who := newIdentity(t)
	s := statementIn(t, groupWith(t, who, 2, 5), who, 2)
	good := must(must(compiled())(t).Witness(t.Context(), must(s.Signals())(t)))(t)
	var two fr.Element
	two.SetUint64(2)
	for name, c := range map[string]struct {
		breaks func(Witness) Witness
		want   error
	}{
		"as it is":        {func(w Witness) Witness { return w }, nil},
		"none":            {func(Witness) Witness { return nil }, ErrWitness},
		"cut off":         {func(w Witness) Witness { return w[:len(w)-1] }, ErrWitness},
		"longer":          {func(w Witness) Witness { return append(w, two) }, ErrWitness},
		"one is two":      {func(w Witness) Witness { w[wireOne] = two; return w }, ErrWitness},
		"another message": {func(w Witness) Witness { w[wireMessage] = two; return w }, ErrWitness},
		"another scope":   {func(w Witness) Witness { w[wireScope] = two; return w }, ErrWitness},
		"another root":    {func(w Witness) Witness { w[wireRoot] = two; return w }, ErrUnproven},
		"a nullifier":     {func(w Witness) Witness { w[wireNullifier] = two; return w }, ErrUnproven},
		"another wire":    {func(w Witness) Witness { w[3000].Add(&w[3000], &two); return w }, ErrUnproven},
		"all zero":        {func(w Witness) Witness { clear(w[publicWires:]); return w }, ErrUnproven},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := k.Prove(t.Context(), s, c.breaks(slices.Clone(good)), nil)
			if !errors.Is(err, c.want) || (p == nil) == (c.want == nil) {
				t.Errorf("%v, %v", p, err)
			}
		})
	}
}
