package token_test

import (
	"testing"

	"github.com/mentalverse/session/token"
)

func BenchmarkSign(b *testing.B) {
	for _, alg := range algorithms {
		k, c := ours(b, alg), claims(b)
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Sign(c)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range algorithms {
		k := ours(b, alg)
		set, raw := token.NewKeySet(issuer, k), sign(b, k, claims(b))
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Verify(raw, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRefreshMint(b *testing.B) {
	k, id, s := refreshKeys(), sessionID(b), seed(9)
	b.ReportAllocs()
	for b.Loop() {
		k.Session(s).Mint(id, 7)
	}
}

func BenchmarkRefreshOpen(b *testing.B) {
	k, s := refreshKeys(), seed(9)
	raw := k.Session(s).Mint(sessionID(b), 7)
	b.Run("forged", func(b *testing.B) {
		forged := raw[:50] + "AAAA" + raw[54:]
		b.ReportAllocs()
		for b.Loop() {
			k.Open(forged)
		}
	})
	b.Run("genuine", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if r, err := k.Open(raw); err != nil || !k.Session(s).Genuine(r) {
				b.Fatal(err)
			}
		}
	})
}
