package wallet

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

// One signature of a small-order key fits every text: the standard library
// accepts it, we do not accept the key.
func TestSmallOrderKeys(t *testing.T) {
	universal := make([]byte, 64)
	universal[0] = 1 // R is the identity, S is zero
	fooled := 0
	for _, p := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			raw := bytes.Clone(p)
			raw[31] |= sign
			if CheckEd25519Key(raw) == nil {
				t.Errorf("%x accepted", raw)
			}
			if ed25519.Verify(raw, []byte("any text"), universal) {
				fooled++
			}
		}
	}
	if fooled == 0 {
		t.Error("the standard library takes none of them: the list is superfluous")
	}
	key, _, _ := ed25519.GenerateKey(nil)
	if err := CheckEd25519Key(key); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, 31, 33} {
		if CheckEd25519Key(make([]byte, n)) == nil || CheckEd25519Key(bytes.Repeat([]byte{7}, n)) == nil {
			t.Errorf("%d bytes accepted", n)
		}
	}
}

func TestEd25519File(t *testing.T) {
	_, key, _ := ed25519.GenerateKey(nil)
	b, err := MarshalEd25519PEM(key)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseEd25519PEM(b); err != nil || !back.Equal(key) {
		t.Errorf("%v", err)
	}
	for name, bad := range map[string]string{
		"empty": "", "not PEM": "x", "trailing data": string(b) + "x", "another type": strings.ReplaceAll(string(b), "PRIVATE", "PUBLIC"),
		"not PKCS #8": string(pem.EncodeToMemory(&pem.Block{Type: pkcs8Type, Bytes: key})), "another key": p256File(t),
	} {
		if _, err := ParseEd25519PEM([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func p256File(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: pkcs8Type, Bytes: der}))
}
