package token_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mentalverse/session/token"
)

// independentKey is the key as another library reads it from the
// JWKS; for HS256, which is not in there, the secret itself.
func independentKey(t *testing.T, k *token.Key) any {
	t.Helper()
	if k.Algorithm() == token.HS256 {
		return k.Secret()
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(token.JWKS(k), &set); err != nil {
		t.Fatal(err)
	}
	found := set.Key(k.ID())
	if len(found) != 1 || !found[0].IsPublic() || !found[0].Valid() || found[0].Use != "sig" || found[0].Algorithm != string(k.Algorithm()) {
		t.Fatalf("%+v", found)
	}
	return found[0].Key
}

func TestAnotherLibraryReadsOurTokens(t *testing.T) {
	for _, alg := range algorithms {
		k, err := token.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		raw := sign(t, k, claims(t))
		parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if h := parsed.Headers; len(h) != 1 || h[0].KeyID != k.ID() || h[0].ExtraHeaders[jose.HeaderType] != "session+jwt" {
			t.Errorf("%s: headers %+v", alg, h)
		}
		var standard jwt.Claims
		var own struct {
			SessionID  string `json:"sid"`
			Generation uint32 `json:"gen"`
			AuthTime   int64  `json:"auth_time"`
			Scope      string `json:"scope"`
			Type       string `json:"typ"`
		}
		all := map[string]any{}
		if err := parsed.Claims(independentKey(t, k), &standard, &own, &all); err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if err := standard.Validate(jwt.Expected{Issuer: issuer, Subject: "user_01", Time: noon}); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if err := standard.ValidateWithLeeway(jwt.Expected{Time: noon.Add(12*time.Hour + time.Second)}, 0); err != jwt.ErrExpired {
			t.Errorf("%s after its end: %v", alg, err)
		}
		if own.SessionID != sessionID(t).String() || own.Generation != 7 || own.AuthTime != noon.Unix()-60 || own.Scope != "read:profile write:messages" || own.Type != "standard" {
			t.Errorf("%s: %+v", alg, own)
		}
		if len(all) != 9 {
			t.Errorf("%s: %d claims: %v", alg, len(all), all)
		}
		// The library refuses what we refuse.
		bad := raw[:len(raw)-8] + strings.Repeat("A", 8)
		if parsed, err := jwt.ParseSigned(bad, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)}); err == nil && parsed.Claims(independentKey(t, k), &standard) == nil {
			t.Errorf("%s: the library took a changed signature", alg)
		}
	}
}

// What the library signs under our key is no token of ours, because it writes
// its header in another order.
func TestAnotherLibraryMintsNoTokens(t *testing.T) {
	k := ours(t, token.HS256)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: k.Secret()},
		(&jose.SignerOptions{}).WithType("session+jwt").WithHeader("kid", "key-1"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload(t)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.HS256}); err != nil || parsed.Claims(k.Secret(), &jwt.Claims{}) != nil {
		t.Fatal("the library does not read its own token")
	}
	refused(t, token.NewKeySet(issuer, k), "a header in another order", raw)
}
