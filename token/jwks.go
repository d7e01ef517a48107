package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// jwk is a public key as RFC 7517 and RFC 8037 section 2 write it.
type jwk struct {
	Type  string    `json:"kty"`
	Curve string    `json:"crv"`
	X     string    `json:"x"`
	Y     string    `json:"y,omitempty"`
	Use   string    `json:"use"`
	Alg   Algorithm `json:"alg"`
	ID    string    `json:"kid"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// JWKS returns the public halves of the keys as a JWK Set (RFC 7517 section 5),
// in the order given. HS256 keys never appear: they have no public half.
func JWKS(keys ...*Key) []byte {
	set := jwkSet{Keys: []jwk{}}
	for _, k := range keys {
		if j := k.scheme.public(); j != nil {
			j.Use, j.Alg, j.ID = "sig", k.alg, k.id
			set.Keys = append(set.Keys, *j)
		}
	}
	data, _ := json.Marshal(set) // strings always marshal
	return data
}

// ParseJWKS reads what JWKS wrote, for services that check tokens themselves.
// Its keys can check and not sign. Entries of other kinds, uses or algorithms
// are skipped, as RFC 7517 section 5 asks; one of ours that is not a key, and a
// text that is no set, is [ErrKey].
func ParseJWKS(data []byte) ([]*Key, error) {
	var set jwkSet
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("%w: not a JWK Set", ErrKey)
	}
	var keys []*Key
	for _, j := range set.Keys {
		if !j.ours() {
			continue
		}
		s, err := j.scheme()
		if err != nil {
			return nil, fmt.Errorf("%w: malformed public key", ErrKey)
		}
		k, err := newKey(j.ID, j.Alg, s)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (j *jwk) ours() bool {
	return j.Use == "sig" &&
		(j.Alg == EdDSA && j.Type == "OKP" && j.Curve == "Ed25519" ||
			j.Alg == ES256 && j.Type == "EC" && j.Curve == "P-256")
}

func (j *jwk) scheme() (scheme, error) {
	x, err := decode(j.X)
	if err != nil || len(x) != 32 {
		return nil, ErrKey
	}
	if j.Alg == EdDSA {
		return &ed25519Scheme{pub: x}, nil
	}
	y, err := decode(j.Y)
	if err != nil || len(y) != 32 {
		return nil, ErrKey
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, err
	}
	return &p256Scheme{pub: pub}, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

var strictBase64 = base64.RawURLEncoding.Strict()

// decode reads base64url in its one canonical spelling: no padding, no set bits
// left over, and none of the line breaks that the library would skip.
func decode(s string) ([]byte, error) {
	return appendDecoded(nil, s)
}

func appendDecoded(to []byte, s string) ([]byte, error) {
	if hasLineBreak(s) {
		return nil, base64.CorruptInputError(0)
	}
	return strictBase64.AppendDecode(to, []byte(s))
}

// hasLineBreak reports what decoders of the standard library skip.
func hasLineBreak(s string) bool {
	return strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0
}
