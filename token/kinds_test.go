package token_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

// Everything that looks like a secret or a name here, shown wherever another is
// expected: only the diagonal passes.
func TestEachKindOnlyInItsPlace(t *testing.T) {
	k := ours(t, token.HS256)
	id := sessionID(t)
	shown := []struct{ name, text string }{
		{"session token", sign(t, k, claims(t))},
		{"refresh token", refreshKeys().Session(seed(9)).Mint(id, 7)},
		{"session id", id.String()},
		{"anonymous id", token.NewID(token.Anonymous, noon).String()},
		{"session id in base64", b64(string(id[:]))},
		{"session id as rt_", "rt_" + b64(string(id[:]))},
		{"session id as three segments", id.String() + "." + id.String() + "." + id.String()},
		{"key id", k.ID()},
		{"key secret", base64.RawURLEncoding.EncodeToString(k.Secret())},
		{"principal", "rrkah-fqaaa-aaaaa-aaaaq-cai"},
	}
	places := []struct {
		name    string
		accepts func(string) bool
	}{
		{"session token", func(s string) bool { _, err := token.NewKeySet(issuer, k).Verify(s, noon); return err == nil }},
		{"refresh token", func(s string) bool { _, err := refreshKeys().Open(s); return err == nil }},
		{"session id", func(s string) bool { _, err := token.ParseID(s); return err == nil }},
		{"anonymous id", func(s string) bool { id, err := token.ParseID(s); return err == nil && id.Kind() == token.Anonymous }},
	}
	for _, s := range shown {
		for _, p := range places {
			want := s.name == p.name || s.name == "anonymous id" && p.name == "session id"
			if p.accepts(s.text) != want {
				t.Errorf("%s as %s: %v", s.name, p.name, !want)
			}
		}
	}
}

// A JWT of another kind, even one that our own key signed, is no session token.
func TestOtherJWTs(t *testing.T) {
	k := ours(t, token.EdDSA)
	set := token.NewKeySet(issuer, k)
	for _, typ := range []string{"JWT", "at+jwt", "secevent+jwt", "logout+jwt", "dpop+jwt", "id+jwt"} {
		head := `{"alg":"EdDSA","typ":"` + typ + `","kid":"key-1"}`
		refused(t, set, typ, forge(t, k, head, payload(t)))
	}
	if _, err := set.Verify(sign(t, k, claims(t)), noon.Add(time.Hour)); err != nil {
		t.Error(err)
	}
}
