package token_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

// The keys of RFC 8037 appendix A.1 and RFC 7515 appendix A.3.1.
func rfcKeys(t *testing.T) (ed, es *token.Key) {
	t.Helper()
	unb64 := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return parseKey(t, "rfc8037", token.EdDSA, unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
		parseKey(t, "rfc7515", token.ES256, unb64("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"))
}

func TestJWKSGolden(t *testing.T) {
	ed, es := rfcKeys(t)
	edText := `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig","alg":"EdDSA","kid":"rfc8037"}`
	esText := `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"sig","alg":"ES256","kid":"rfc7515"}`
	for _, test := range []struct {
		keys []*token.Key
		want string
	}{
		{[]*token.Key{ed, es}, edText + "," + esText},
		{[]*token.Key{es, ed}, esText + "," + edText},
		{[]*token.Key{ours(t, token.HS256), ed}, edText},
		{[]*token.Key{ours(t, token.HS256)}, ""},
		{nil, ""},
	} {
		if got := string(token.JWKS(test.keys...)); got != `{"keys":[`+test.want+`]}` {
			t.Errorf("%v: %s", test.keys, got)
		}
	}
}

func TestJWKSHoldsNoSecret(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := string(token.JWKS(k))
		for _, s := range append(spellings(k.Secret()), `"d"`, `"k"`, "oct") {
			if strings.Contains(set, s) {
				t.Errorf("%s: %q in %s", alg, s, set)
			}
		}
	}
}

// A service that has only our JWKS checks our tokens and mints none.
func TestParseJWKS(t *testing.T) {
	ed, es := rfcKeys(t)
	keys, err := token.ParseJWKS(token.JWKS(ed, ours(t, token.HS256), es))
	if err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	set := token.NewKeySet(issuer, keys...)
	for i, k := range []*token.Key{ed, es} {
		if _, err := set.Verify(sign(t, k, claims(t)), noon); err != nil {
			t.Errorf("%v: %v", k, err)
		}
		if raw, err := keys[i].Sign(claims(t)); err != token.ErrKey || raw != "" {
			t.Errorf("a public %v signed: %v", k, err)
		}
		if keys[i].Secret() != nil || keys[i].ID() != k.ID() || keys[i].Algorithm() != k.Algorithm() {
			t.Errorf("%v became %v", k, keys[i])
		}
	}
	if string(token.JWKS(keys...)) != string(token.JWKS(ed, es)) {
		t.Error("a set does not come back as it was")
	}
	refused(t, set, "the HS256 key's token", sign(t, ours(t, token.HS256), claims(t)))
}

func TestParseJWKSSkipsWhatIsNotOurs(t *testing.T) {
	ed, es := rfcKeys(t)
	good := string(token.JWKS(ed, es))
	for _, change := range [][2]string{
		{`"use":"sig"`, `"use":"enc"`}, {`"alg":"EdDSA"`, `"alg":"ES256"`}, {`"alg":"ES256"`, `"alg":"HS256"`}, {`"alg":"ES256"`, `"alg":"none"`},
		{`"kty":"OKP"`, `"kty":"oct","k":"AA"`}, {`"Ed25519"`, `"X25519"`}, {`"P-256"`, `"P-384"`},
	} {
		keys, err := token.ParseJWKS([]byte(strings.Replace(good, change[0], change[1], 1)))
		if err != nil || len(keys) != 1 {
			t.Errorf("%s: %v, %v", change[1], keys, err)
		}
	}
}

func TestParseJWKSRefuses(t *testing.T) {
	ed, es := rfcKeys(t)
	good := string(token.JWKS(ed, es))
	for _, change := range [][2]string{
		{good, ""}, {good, "[]"}, {good, good + "x"}, {good, `{"keys":{}}`},
		{`"kid":"rfc8037"`, `"kid":""`}, {`"kid":"rfc8037"`, `"kid":"../x"`},
		{"11qY", ""}, {"11qY", "11q="}, {"11qY", "\\n11qY"}, {"HURo", "HURp"},
		{"f83O", ""}, {"f83O", "f83P"}, {"WI5a0", "WI5a1"}, {"WI5a0", "WI5aA"}, {`,"y":"x_FE`, `,"z":"x_FE`},
	} {
		if keys, err := token.ParseJWKS([]byte(strings.Replace(good, change[0], change[1], 1))); !errors.Is(err, token.ErrKey) || keys != nil {
			t.Errorf("%s to %s: %v, %v", change[0], change[1], keys, err)
		}
	}
}
