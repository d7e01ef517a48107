package token

import "crypto/ed25519"

// ed25519Scheme is EdDSA over Ed25519 (RFC 8037 section 3.1). The library
// refuses a signature whose scalar is not reduced (RFC 8032 section 5.1.7), so
// a signature has one spelling.
type ed25519Scheme struct {
	pub  ed25519.PublicKey
	priv func() ed25519.PrivateKey // nil for a public key
}

func parseEd25519(seed []byte) *ed25519Scheme {
	priv := ed25519.NewKeyFromSeed(seed)
	return &ed25519Scheme{pub: priv.Public().(ed25519.PublicKey), priv: hide(priv)}
}

func (s *ed25519Scheme) sign(input []byte) ([]byte, error) {
	if s.priv == nil {
		return nil, ErrKey
	}
	return ed25519.Sign(s.priv(), input), nil
}

func (s *ed25519Scheme) verify(input, signature []byte) bool {
	return len(signature) == ed25519.SignatureSize && ed25519.Verify(s.pub, input, signature)
}

func (s *ed25519Scheme) secret() []byte {
	if s.priv == nil {
		return nil
	}
	return s.priv().Seed()
}

func (s *ed25519Scheme) public() *jwk {
	return &jwk{Type: "OKP", Curve: "Ed25519", X: encode(s.pub)}
}
