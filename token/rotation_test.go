package token_test

import (
	"errors"
	"testing"

	"github.com/mentalverse/session/token"
)

// A key counts while it is in the set, and no longer.
func TestRotation(t *testing.T) {
	for _, alg := range algorithms {
		old, now, next := parseKey(t, "old", alg, secret(10)), parseKey(t, "now", alg, secret(20)), parseKey(t, "next", alg, secret(30))
		staging := parseKey(t, "now", alg, secret(40))
		overlap, after := token.NewKeySet(issuer, now, old), token.NewKeySet(issuer, now)
		for _, test := range []struct {
			name string
			set  *token.KeySet
			key  *token.Key
			ok   bool
		}{
			{"current", overlap, now, true},
			{"old, in the overlap", overlap, old, true},
			{"old, retired", after, old, false},
			{"next, before its day", overlap, next, false},
			{"staging's, under our key's id", overlap, staging, false},
			{"any, in an empty set", token.NewKeySet(issuer), now, false},
		} {
			_, err := test.set.Verify(sign(t, test.key, claims(t)), noon)
			if (err == nil) != test.ok || !test.ok && !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%s %s: %v", alg, test.name, err)
			}
		}
	}
}

// One id, one key, one algorithm: a second key cannot hide behind the id.
func TestOneKeyPerID(t *testing.T) {
	first := parseKey(t, "key-1", token.EdDSA, secret(1))
	for _, second := range []*token.Key{
		parseKey(t, "key-1", token.HS256, secret(1)),
		parseKey(t, "key-1", token.EdDSA, secret(2)),
	} {
		set := token.NewKeySet(issuer, first, second)
		if _, err := set.Verify(sign(t, first, claims(t)), noon); err != nil {
			t.Errorf("the first: %v", err)
		}
		refused(t, set, "the second key of an id", sign(t, second, claims(t)))
	}
}

func TestAllAlgorithmsInOneSet(t *testing.T) {
	var keys []*token.Key
	for i, alg := range algorithms {
		keys = append(keys, parseKey(t, "key-"+string(alg), alg, secret(byte(50+i))))
	}
	set := token.NewKeySet(issuer, keys...)
	for _, k := range keys {
		if _, err := set.Verify(sign(t, k, claims(t)), noon); err != nil {
			t.Errorf("%v: %v", k, err)
		}
	}
}
