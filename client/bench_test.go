package client_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/token"
)

// BenchmarkVerify stands beside a bare check of the same signature: "again" is a
// token that was seen before, "next" the first sight of a new token of a session
// that is followed. Goals: 1.5 µs, and 1.2 times the bare check.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b, client.CacheEntries(4096))
	id, raw := w.open("read:profile", "write:messages", "join:groups", "book:sessions")
	w.want(raw, nil, client.Background())
	ctx := b.Context()
	b.Run("ed25519.Verify", func(b *testing.B) {
		input, signature, public := bare(b, w.keys[0], raw)
		b.ReportAllocs()
		for b.Loop() {
			if !ed25519.Verify(public, input, signature) {
				b.Fatal("not genuine")
			}
		}
	})
	b.Run("token.Verify", func(b *testing.B) { // what a service could not do with less
		set := token.NewKeySet(issuer, w.keys[0])
		now := w.claimsOf(id).IssuedAt
		b.ReportAllocs()
		for b.Loop() {
			if _, err := set.Verify(raw, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("next", func(b *testing.B) {
		// Texts of one session, so many that each was forgotten when it comes again.
		const many = 64
		raws := make([]string, many)
		claims := w.claimsOf(id)
		for i := range raws {
			claims.ExpiresAt = claims.ExpiresAt.Add(-1e9)
			raws[i] = w.sign(claims)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := w.c.Verify(ctx, raws[i%many]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.c.Verify(ctx, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again-with-conditions", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.c.Verify(ctx, raw, client.Require("write:messages"), client.MaxAge(3600e9)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again-parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := w.c.Verify(ctx, raw); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	if n := w.count(validatePath); n != 1 {
		b.Errorf("asked %d times", n)
	}
}

func bare(b *testing.B, k *token.Key, raw string) (input, signature []byte, public ed25519.PublicKey) {
	b.Helper()
	cut := strings.LastIndexByte(raw, '.')
	signature, err := base64.RawURLEncoding.DecodeString(raw[cut+1:])
	if err != nil {
		b.Fatal(err)
	}
	return []byte(raw[:cut]), signature, ed25519.NewKeyFromSeed(k.Secret()).Public().(ed25519.PublicKey)
}

// What one session takes in memory.
func BenchmarkMemory(b *testing.B) {
	const n = 10_000
	w := newWorld(b, client.CacheEntries(2*n))
	raws := make([]string, n)
	for i := range raws {
		_, raws[i] = w.open("read:profile", "write:messages", "join:groups", "book:sessions")
	}
	w.wire.to = thin{w.service}
	before := heap()
	for b.Loop() {
		for _, raw := range raws {
			if _, err := w.c.Verify(b.Context(), raw, client.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	after := heap()
	runtime.KeepAlive(raws)
	b.ReportMetric(float64(after-before)/float64(w.c.Stats().Sessions), "B/session")
}

// thin is the service, which keeps nothing of who asks.
type thin struct{ *service }

func (s thin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.service.ServeHTTP(w, r)
	s.mu.Lock()
	s.afters = nil
	s.mu.Unlock()
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
