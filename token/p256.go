package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// p256Scheme is ECDSA over P-256 with SHA-256, its signature r and s of 32
// bytes each (RFC 7518 section 3.4).
//
// Of the two signatures (r, s) and (r, n-s) that every ECDSA signature stands
// for, we make and accept only the one with the lower s. Any verifier takes it,
// and a token stays the only spelling of itself: what is keyed by its text, a
// cache or a list of seen tokens, cannot be walked around by flipping the sign.
type p256Scheme struct {
	pub  *ecdsa.PublicKey
	priv func() *ecdsa.PrivateKey // nil for a public key
}

var (
	p256Order     = elliptic.P256().Params().N
	p256HalfOrder = new(big.Int).Rsh(p256Order, 1)
)

func parseP256(scalar []byte) (*p256Scheme, error) {
	priv, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, fmt.Errorf("%w: not a P-256 scalar", ErrKey)
	}
	return &p256Scheme{pub: &priv.PublicKey, priv: hide(priv)}, nil
}

func (p *p256Scheme) sign(input []byte) ([]byte, error) {
	if p.priv == nil {
		return nil, ErrKey
	}
	digest := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, p.priv(), digest[:])
	if err != nil {
		return nil, err // no key that parseP256 made
	}
	if s.Cmp(p256HalfOrder) > 0 {
		s.Sub(p256Order, s)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}

func (p *p256Scheme) verify(input, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	r := new(big.Int).SetBytes(signature[:32])
	s := new(big.Int).SetBytes(signature[32:])
	if s.Cmp(p256HalfOrder) > 0 {
		return false
	}
	digest := sha256.Sum256(input)
	return ecdsa.Verify(p.pub, digest[:], r, s)
}

func (p *p256Scheme) secret() []byte {
	if p.priv == nil {
		return nil
	}
	scalar, _ := p.priv().Bytes() // fails only for another curve
	return scalar
}

func (p *p256Scheme) public() *jwk {
	point, _ := p.pub.Bytes() // 4 ‖ x ‖ y, SEC 1 section 2.3.3; fails only for another curve
	return &jwk{Type: "EC", Curve: "P-256", X: encode(point[1:33]), Y: encode(point[33:])}
}
