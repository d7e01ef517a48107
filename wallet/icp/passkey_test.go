package icp_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

func passkeys(t testing.TB) map[string]*sessiontest.Passkey {
	key := must[*sessiontest.Passkey](t)
	text, raw := key(sessiontest.NewPasskey("identity.example")), key(sessiontest.NewPasskey("identity.example"))
	raw.Bytes = true
	return map[string]*sessiontest.Passkey{
		"ES256": text, "ES256, bytes": raw,
		"RS256": key(sessiontest.NewRSAPasskey("identity.example", 2048)),
	}
}

func TestPasskeysSignIn(t *testing.T) {
	n := icp.NewNetwork(icp.Mainnet())
	for name, p := range passkeys(t) {
		c, account := made(t, p.Identity())
		if _, err := n.Verify(t.Context(), c, account, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusedAssertions(t *testing.T) {
	n := icp.NewNetwork(icp.Mainnet())
	message := []byte("a message")
	challenge := base64.RawURLEncoding.EncodeToString(message)
	for kind, p := range passkeys(t) {
		der := p.Identity().PublicKey()
		check := func(name string, signature []byte, err error, ok bool) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Key(t.Context(), der, message, signature); (err == nil) != ok || err != nil && !errors.Is(err, icp.ErrSignature) {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
		client := func(name, text string, ok bool) {
			t.Helper()
			s, err := p.Assert([]byte(text))
			check(name, s, err, ok)
		}
		whole := `{"type":"webauthn.get","challenge":"` + challenge + `","origin":"https://identity.example"`
		client("good", whole+"}", true)
		client("members that are not known", whole+`,"other_keys_can_be_added_here":"x","crossOrigin":false}`, true)
		client("another type", `{"type":"webauthn.create","challenge":"`+challenge+`"}`, false)
		client("no type", `{"challenge":"`+challenge+`"}`, false)
		client("no challenge", `{"type":"webauthn.get"}`, false)
		client("another challenge", `{"type":"webauthn.get","challenge":"`+challenge[1:]+`"}`, false)
		client("a padded challenge", `{"type":"webauthn.get","challenge":"`+base64.URLEncoding.EncodeToString([]byte("a message!"))+`"}`, false)
		client("the challenge in hex", fmt.Sprintf(`{"type":"webauthn.get","challenge":"%x"}`, message), false)
		client("two challenges", `{"type":"webauthn.get","challenge":"x","challenge":"`+challenge+`"}`, false)
		client("names in another case", `{"Type":"webauthn.get","Challenge":"`+challenge+`"}`, false)
		client("not JSON", "hello", false)
		client("something after it", whole+`} {}`, false)
		good := p.Flags
		for flags, ok := range map[byte]bool{0x00: false, 0x04: false, 0xfe: false, 0x01: true, 0x05: true} {
			p.Flags = flags
			s, err := p.Sign(message)
			check(fmt.Sprintf("flags %02x", flags), s, err, ok)
		}
		p.Flags = good
		s, err := p.Sign(message)
		check("good", s, err, true)
		check("no tag", s[3:], nil, true)
		check("something after it", append(bytes.Clone(s), 0), nil, false)
		check("a field too many", append(append([]byte{0xa4}, s[4:]...), 0x61, 'x', 0x00), nil, false)
		check("a field in another case", bytes.Replace(s, []byte("signature"), []byte("Signature"), 1), nil, false)
		check("not CBOR", []byte("hello"), nil, false)
		if err := n.Key(t.Context(), der, []byte("another message"), s); !errors.Is(err, icp.ErrSignature) {
			t.Errorf("%s, another message: %v", kind, err)
		}
	}
}

// One key has one spelling, so one principal.
func TestPasskeyKeys(t *testing.T) {
	n := icp.NewNetwork(icp.Mainnet())
	key := must[*sessiontest.Passkey](t)
	es, rs := key(sessiontest.NewPasskey("a.example")).COSE(), key(sessiontest.NewRSAPasskey("a.example", 2048)).COSE()
	small, large := rsaCOSE(255), rsaCOSE(513)
	even := bytes.Clone(rs)
	even[11] &= 0x7f // a modulus of fewer bits than its bytes hold
	change := func(b []byte, i int, to byte) []byte { out := bytes.Clone(b); out[i] = to; return out }
	for name, test := range map[string]struct {
		cose []byte
		want error
	}{
		"ES256":               {es, icp.ErrSignature}, // the key is, the signature is none
		"RS256":               {rs, icp.ErrSignature},
		"RS256 of 4096 bits":  {rsaCOSE(512), icp.ErrSignature},
		"empty":               {nil, icp.ErrKey},
		"keys in other order": {append([]byte{0xa5, 0x03, 0x26, 0x01, 0x02}, es[5:]...), icp.ErrKey},
		"a longer number":     {append([]byte{0xa5, 0x18, 0x01}, es[2:]...), icp.ErrKey},
		"a member too many":   {append(change(es, 0, 0xa6), 0x04, 0x41, 0x00), icp.ErrKey},
		"not on the curve":    {change(es, 20, es[20]^1), icp.ErrKey},
		"cut":                 {es[:len(es)-1], icp.ErrKey},
		"longer":              {append(bytes.Clone(es), 0), icp.ErrKey},
		"ES384":               {change(es, 4, 0x38), icp.ErrKey},
		"RS256 of 2040 bits":  {small, icp.ErrKey},
		"RS256 of 4104 bits":  {large, icp.ErrKey},
		"a leading zero":      {even, icp.ErrKey},
		"e is 3":              {append(bytes.Clone(rs[:len(rs)-5]), 0x21, 0x41, 0x03), icp.ErrKey},
		"a length that lies":  {change(rs, 9, 2), icp.ErrKey},
		"RS256 cut":           {rs[:len(rs)-1], icp.ErrKey},
		"RS256 head only":     {rs[:10], icp.ErrKey},
	} {
		der := sessiontest.WrapKey([]int{1, 3, 6, 1, 4, 1, 56387, 1, 1}, test.cose)
		if err := n.Key(t.Context(), der, nil, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

// rsaCOSE is the shape of an RSA key whose modulus has size bytes.
func rsaCOSE(size int) []byte {
	b := append([]byte{0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, byte(size >> 8), byte(size)}, bytes.Repeat([]byte{0xc1}, size)...)
	return append(b, 0x21, 0x43, 0x01, 0x00, 0x01)
}
