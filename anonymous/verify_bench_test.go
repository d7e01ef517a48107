package anonymous

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// The bare check of three pairs is what no verifier of Groth16 that keeps
// e(α, β) can do without in gnark-crypto's own terms; four pairs are what the
// textbook's equation takes.
func BenchmarkVerify(b *testing.B) {
	p := goodProof(b)
	s := statementOf(b, p)
	v := verifier(b)
	b.Run("proof", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(b.Context(), p, s); err != nil {
				b.Fatal(err)
			}
		}
	})
	ga, gc, gb, err := p.points()
	if err != nil {
		b.Fatal(err)
	}
	for _, bare := range []struct {
		name string
		p    []bn254.G1Affine
		q    []bn254.G2Affine
	}{
		{"bare check of 3 pairs", []bn254.G1Affine{ga, gc, ga}, []bn254.G2Affine{gb, gb, gb}},
		{"bare check of 4 pairs", []bn254.G1Affine{ga, gc, ga, gc}, []bn254.G2Affine{gb, gb, gb, gb}},
	} {
		b.Run(bare.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := bn254.PairingCheck(bare.p, bare.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("subgroup", func(b *testing.B) {
		for b.Loop() {
			gb.IsInSubGroup()
		}
	})
	signals, err := p.signals(s)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("signals", func(b *testing.B) {
		for b.Loop() {
			v.key.combine(&signals)
		}
	})
	b.Run("lines", func(b *testing.B) {
		for b.Loop() {
			bn254.PrecomputeLines(gb)
		}
	})
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			if _, err := newKey(keyJSON); err != nil {
				b.Fatal(err)
			}
		}
	})
}
