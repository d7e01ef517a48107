//go:build !race

// The race detector makes half a minute of these seconds, and nothing here is done
// abreast: make test runs it without.

package token_test

import (
	"crypto/rand"
	"encoding/base64"
	"flag"
	"testing"

	"github.com/mentalverse/session/token"
)

var long = flag.Bool("long", false, "run the long versions of the tests")

// TOK-01: a million refresh tokens of sessions with seeds of their own: no MAC
// comes twice, and each of its 256 bits is set in half of them, within four
// sigma and a little for there being so many bits.
func TestAMillionTokensAreRandom(t *testing.T) {
	n := 1_000_000
	if *long {
		n = 10_000_000
	}
	var tag, mac [32]byte
	rand.Read(tag[:])
	rand.Read(mac[:])
	keys := token.NewRefreshKeys(tag, mac, 0)
	seen := make(map[[16]byte]struct{}, n)
	var ones [256]int
	id := token.NewID(token.Standard, noon)
	for range n {
		var seed [32]byte
		rand.Read(seed[:])
		var raw [74]byte
		if _, err := base64.RawURLEncoding.Decode(raw[:], []byte(keys.Session(seed).Mint(id, 1))[3:]); err != nil {
			t.Fatal(err)
		}
		mac := raw[42:]
		for bit := range ones {
			ones[bit] += int(mac[bit/8] >> (bit % 8) & 1)
		}
		seen[[16]byte(mac)] = struct{}{}
	}
	if len(seen) != n {
		t.Errorf("%d of %d tokens repeat", n-len(seen), n)
	}
	// The sum of the bits' squared deviations is chi-square with 256 degrees of
	// freedom: mean 256, sigma 22.6.
	chi := 0.0
	for bit, count := range ones {
		d := float64(2*count-n) * float64(2*count-n) / float64(n)
		if chi += d; d > 5*5 {
			t.Errorf("bit %d is set in %d of %d", bit, count, n)
		}
	}
	if chi < 256-4*22.7 || chi > 256+4*22.7 {
		t.Errorf("chi-square %.1f of 256 bits is more than four sigma off", chi)
	}
}
