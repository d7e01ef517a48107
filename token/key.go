package token

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Algorithm is a JWS algorithm (RFC 7518 section 3.1, RFC 8037).
type Algorithm string

// The algorithms a session token may be signed with. A key has exactly one.
const (
	EdDSA Algorithm = "EdDSA" // Ed25519; the default
	ES256 Algorithm = "ES256"
	HS256 Algorithm = "HS256" // never published: services must call validate
)

// ErrKey tells of key material, an id or an algorithm that makes no [Key], and
// of a public key asked to sign.
var ErrKey = errors.New("token: not a usable key")

// secretSize is the length of every secret: an Ed25519 seed, a P-256 scalar and
// an HMAC key all have 32 bytes.
const secretSize = 32

// Key signs and checks session tokens with one algorithm under one id. It never
// changes and is safe for concurrent use. Its secret leaves it only by Secret:
// fmt, slog and JSON see no more than id and algorithm.
type Key struct {
	id     string
	alg    Algorithm
	header string // the one encoded JOSE header of its tokens
	scheme scheme
}

// scheme is what an algorithm does with its material. Implementations keep the
// secret part behind a function, because whatever prints a structure around a
// key by reflection shows no more of a function than its address.
type scheme interface {
	sign(input []byte) ([]byte, error)
	verify(input, signature []byte) bool
	secret() []byte // nil for a public key
	public() *jwk   // nil for a symmetric key
}

func hide[T any](secret T) func() T { return func() T { return secret } }

// GenerateKey returns a fresh key with a random id, or [ErrKey] for an
// algorithm that is not one of ours.
func GenerateKey(alg Algorithm) (*Key, error) {
	// 80 random bits name the few keys of one service; nothing rests on them.
	id := rand.Text()[:16]
	secret := make([]byte, secretSize)
	for {
		rand.Read(secret)
		k, err := ParseKey(id, alg, secret)
		// About one string in 2^32 is no P-256 scalar (FIPS 186-5 A.2.2).
		if err == nil || alg != ES256 {
			return k, err
		}
	}
}

// ParseKey returns the key with this id and this secret, which Secret returned:
// 32 bytes that are an Ed25519 seed (RFC 8032 section 5.1.5), a big-endian
// P-256 scalar between 1 and the order less one (SEC 1 section 2.3.6) or an
// HMAC key. The id is one to 64 letters, digits, "-" and "_". Anything else is
// [ErrKey].
func ParseKey(id string, alg Algorithm, secret []byte) (*Key, error) {
	if len(secret) != secretSize {
		return nil, fmt.Errorf("%w: a secret has %d bytes", ErrKey, secretSize)
	}
	switch alg {
	case EdDSA:
		return newKey(id, alg, parseEd25519(secret))
	case ES256:
		s, err := parseP256(secret)
		if err != nil {
			return nil, err
		}
		return newKey(id, alg, s)
	case HS256:
		return newKey(id, alg, parseHMAC(secret))
	}
	return nil, fmt.Errorf("%w: unknown algorithm", ErrKey)
}

func newKey(id string, alg Algorithm, s scheme) (*Key, error) {
	if !isKeyID(id) {
		return nil, fmt.Errorf("%w: an id is 1 to 64 of A-Z a-z 0-9 _ -", ErrKey)
	}
	header := `{"alg":"` + string(alg) + `","typ":"session+jwt","kid":"` + id + `"}`
	return &Key{
		id:     id,
		alg:    alg,
		header: base64.RawURLEncoding.EncodeToString([]byte(header)),
		scheme: s,
	}, nil
}

func isKeyID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return 1 <= len(id) && len(id) <= 64
}

// ID returns the key's id, the "kid" of its tokens.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's one algorithm.
func (k *Key) Algorithm() Algorithm { return k.alg }

// Secret returns a copy of the 32 secret bytes that ParseKey reads, or nil for
// a key that ParseJWKS read. Whoever holds them can mint tokens.
func (k *Key) Secret() []byte { return k.scheme.secret() }

// String returns the key's algorithm and id.
func (k Key) String() string { return "token.Key(" + string(k.alg) + " " + k.id + ")" }

// Format prints String for every verb, so that none prints the secret.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// LogValue logs String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
