package token

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"slices"
	"testing"
)

func unb64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := decode(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 8037 appendix A.4.
func TestEd25519Vector(t *testing.T) {
	s := parseEd25519(unb64(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
	input := []byte("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
	want := unb64(t, "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
	if got, err := s.sign(input); err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	if !s.verify(input, want) {
		t.Error("the vector is refused")
	}
}

// RFC 7515 appendix A.3. Its s is the higher one: we take its mirror image.
func TestP256Vector(t *testing.T) {
	p, err := parseP256(unb64(t, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"))
	if err != nil {
		t.Fatal(err)
	}
	input := []byte("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")
	signature := unb64(t, "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
	if p.verify(input, signature) {
		t.Error("the higher s is accepted")
	}
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:])
	if !p.verify(input, signature) {
		t.Error("the vector is refused")
	}
	if p.verify(input, signature[:63]) || p.verify(input, append(signature, 0)) {
		t.Error("another length is accepted")
	}
}

func TestBrokenP256KeySignsNothing(t *testing.T) {
	p, err := parseP256(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 a key that was tampered with is the point
	p.priv().D = new(big.Int)
	if signature, err := p.sign([]byte("x")); err == nil || signature != nil {
		t.Errorf("%x", signature)
	}
}

// RFC 4231 test case 2 with its key padded by zeros, which HMAC does anyway
// (RFC 2104 section 2).
func TestHMACVector(t *testing.T) {
	h := parseHMAC(append([]byte("Jefe"), make([]byte, 28)...))
	input := []byte("what do ya want for nothing?")
	want := []byte{
		0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
		0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
	}
	if !h.verify(input, want) || h.verify(input, want[:31]) || h.verify(input, nil) {
		t.Error("the vector, and nothing shorter, is the MAC")
	}
}
