package token_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

func TestGeneratedKeysComeBackFromTheirSecret(t *testing.T) {
	shape := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	seen := map[string]bool{}
	for _, alg := range algorithms {
		for range 50 {
			k, err := token.GenerateKey(alg)
			if err != nil {
				t.Fatal(err)
			}
			if k.Algorithm() != alg || !shape.MatchString(k.ID()) || len(k.Secret()) != 32 || seen[k.ID()] || seen[string(k.Secret())] {
				t.Fatalf("%v", k)
			}
			seen[k.ID()], seen[string(k.Secret())] = true, true
			again := parseKey(t, k.ID(), alg, k.Secret())
			if _, err := token.NewKeySet(issuer, again).Verify(sign(t, k, claims(t)), noon); err != nil {
				t.Error(err)
			}
			if _, err := token.NewKeySet(issuer, k).Verify(sign(t, again, claims(t)), noon); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	order := "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
	for _, test := range []struct {
		name   string
		id     string
		alg    token.Algorithm
		secret []byte
	}{
		{"no algorithm", "a", "", secret(1)},
		{"none", "a", "none", secret(1)},
		{"other case", "a", "eddsa", secret(1)},
		{"zero scalar", "a", token.ES256, make([]byte, 32)},
		{"the order as scalar", "a", token.ES256, unhex(order)},
		{"a scalar over the order", "a", token.ES256, bytes.Repeat([]byte{255}, 32)},
		{"no id", "", token.EdDSA, secret(1)},
		{"long id", strings.Repeat("a", 65), token.EdDSA, secret(1)},
		{"path as id", "../a", token.EdDSA, secret(1)},
		{"quote in id", `a"`, token.ES256, secret(1)},
		{"line break in id", "a\n", token.HS256, secret(1)},
		{"letter beyond ASCII in id", "é", token.HS256, secret(1)},
	} {
		if k, err := token.ParseKey(test.id, test.alg, test.secret); !errors.Is(err, token.ErrKey) || k != nil {
			t.Errorf("%s: %v, %v", test.name, k, err)
		}
	}
	for _, alg := range algorithms {
		for _, n := range []int{0, 1, 16, 31, 33, 64} {
			if _, err := token.ParseKey("a", alg, make([]byte, n)); !errors.Is(err, token.ErrKey) {
				t.Errorf("%s with %d bytes: %v", alg, n, err)
			}
		}
	}
	if _, err := token.GenerateKey("RS256"); !errors.Is(err, token.ErrKey) {
		t.Error(err)
	}
}

func TestKeyIDs(t *testing.T) {
	for _, id := range []string{"a", "-", "_", "Az09_-", strings.Repeat("k", 64)} {
		k := parseKey(t, id, token.EdDSA, secret(1))
		if _, err := token.NewKeySet(issuer, k).Verify(sign(t, k, claims(t)), noon); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// What a caller does with the bytes it gave or got does not change the key.
func TestKeysDoNotShareMemory(t *testing.T) {
	for _, alg := range algorithms {
		given := secret(1)
		k := parseKey(t, "key-1", alg, given)
		clear(given)
		clear(k.Secret())
		if !bytes.Equal(k.Secret(), secret(1)) {
			t.Errorf("%s: the secret changed", alg)
		}
		if _, err := token.NewKeySet(issuer, ours(t, alg)).Verify(sign(t, k, claims(t)), noon); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}
