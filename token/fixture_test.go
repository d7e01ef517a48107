package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

const issuer = "https://sessions.example"

var (
	algorithms = []token.Algorithm{token.EdDSA, token.ES256, token.HS256}
	noon       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// secret returns 32 bytes that count up from first: the same key in every run.
func secret(first byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func seed(first byte) [32]byte { return [32]byte(secret(first)) }

func parseKey(t testing.TB, id string, alg token.Algorithm, secret []byte) *token.Key {
	t.Helper()
	k, err := token.ParseKey(id, alg, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ours is the service's key of an algorithm.
func ours(t testing.TB, alg token.Algorithm) *token.Key {
	return parseKey(t, "key-1", alg, secret(1))
}

func sessionID(t testing.TB) token.ID {
	t.Helper()
	id, err := token.IDFromBytes(append([]byte{1, 0x69, 0xa4, 0x2b, 0xc0}, secret(0xa0)[:16]...))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func claims(t testing.TB) token.Claims {
	return token.Claims{
		Issuer:     issuer,
		Subject:    "user_01",
		SessionID:  sessionID(t),
		Generation: 7,
		IssuedAt:   noon,
		ExpiresAt:  noon.Add(12 * time.Hour),
		AuthTime:   noon.Add(-time.Minute),
		Scope:      []string{"read:profile", "write:messages"},
		Type:       "standard",
	}
}

func sign(t testing.TB, k *token.Key, c token.Claims) string {
	t.Helper()
	raw, err := k.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// header is the JOSE header that k writes.
func header(k *token.Key) string {
	return `{"alg":"` + string(k.Algorithm()) + `","typ":"session+jwt","kid":"` + k.ID() + `"}`
}

// forge signs any header and payload as the holder of the key's secret could:
// the strongest forger there is.
func forge(t testing.TB, k *token.Key, header, payload string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + signRaw(t, k, input)
}

func signRaw(t testing.TB, k *token.Key, input string) string {
	t.Helper()
	switch k.Algorithm() {
	case token.EdDSA:
		return b64(string(ed25519.Sign(ed25519.NewKeyFromSeed(k.Secret()), []byte(input))))
	case token.ES256:
		priv, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.Secret())
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, priv, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if n := priv.Params().N; new(big.Int).Lsh(s, 1).Cmp(n) > 0 {
			s.Sub(n, s)
		}
		return b64(string(r.FillBytes(make([]byte, 32))) + string(s.FillBytes(make([]byte, 32))))
	}
	return hmacRaw(string(k.Secret()), input)
}

func hmacRaw(key, input string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(input))
	return b64(string(mac.Sum(nil)))
}

// publicForms are the spellings of a public key that careless verifiers have
// taken for an HMAC secret (CVE-2015-9235, CVE-2016-5431).
func publicForms(t testing.TB, k *token.Key) []string {
	t.Helper()
	forms := []string{"", "\x00", k.ID(), string(token.JWKS(k))}
	var pub any
	switch k.Algorithm() {
	case token.EdDSA:
		p := ed25519.NewKeyFromSeed(k.Secret()).Public().(ed25519.PublicKey)
		pub, forms = p, append(forms, string(p))
	case token.ES256:
		priv, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.Secret())
		if err != nil {
			t.Fatal(err)
		}
		point, _ := priv.PublicKey.Bytes()
		pub, forms = &priv.PublicKey, append(forms, string(point))
	default:
		return forms
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return append(forms, string(der), text, strings.TrimSpace(text), strings.ReplaceAll(text, "\n", "\r\n"))
}
