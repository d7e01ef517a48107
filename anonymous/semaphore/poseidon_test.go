package semaphore

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// plain is Poseidon as the paper defines it, nothing rewritten.
func plain(a, b fr.Element) fr.Element {
	g := newGrain()
	c := g.roundConstants()
	m := g.mixMatrix()
	s := vector3{{}, a, b}
	for r := range c {
		for i := range s {
			s[i].Add(&s[i], &c[r][i])
			if i == 0 || r < poseidonFull/2 || r >= poseidonFull/2+poseidonPartial {
				fifth(&s[i])
			}
		}
		s = m.apply(s)
	}
	return s[0]
}

func TestPoseidonIsThePapers(t *testing.T) {
	for range 20 {
		var a, b fr.Element
		a.MustSetRandom()
		b.MustSetRandom()
		if Poseidon(a, b) != plain(a, b) {
			t.Fatalf("another hash of %s and %s", a.String(), b.String())
		}
	}
}

// circomlib's test vector for two inputs.
func TestPoseidonIsCircomlibs(t *testing.T) {
	var one, two fr.Element
	one.SetUint64(1)
	two.SetUint64(2)
	if got := FormatScalar(Poseidon(one, two)); got != "7853200120776062878684798364095072458815029376092732009249414926327459813530" {
		t.Errorf("%s", got)
	}
}

func BenchmarkPoseidon(b *testing.B) {
	var x, y fr.Element
	x.MustSetRandom()
	y.MustSetRandom()
	Poseidon(x, y)
	for b.Loop() {
		x = Poseidon(x, y)
	}
}
