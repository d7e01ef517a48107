package token

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
)

// hmacScheme is HMAC with SHA-256 (RFC 7518 section 3.2). Whoever can check its
// tokens can mint them, so it has no public half.
type hmacScheme struct{ key func() []byte }

func parseHMAC(key []byte) *hmacScheme { return &hmacScheme{key: hide(bytes.Clone(key))} }

func (h *hmacScheme) sign(input []byte) ([]byte, error) {
	mac := hmac.New(sha256.New, h.key())
	mac.Write(input)
	return mac.Sum(nil), nil
}

func (h *hmacScheme) verify(input, signature []byte) bool {
	want, _ := h.sign(input)
	return hmac.Equal(want, signature)
}

func (h *hmacScheme) secret() []byte { return bytes.Clone(h.key()) }

func (h *hmacScheme) public() *jwk { return nil }
