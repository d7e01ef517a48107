package solana

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/mr-tron/base58"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
)

const text = "a text that a wallet signs"

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// made returns a credential of a new identity, open for tampering, and the
// account.
func made(t testing.TB) (wallet.Credential, string) {
	t.Helper()
	who, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	s, err := who.Credential(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := wallet.ParseCredential(s)
	if err != nil {
		t.Fatal(err)
	}
	return c, who.Address()
}

func TestOwnIdentityVerifies(t *testing.T) {
	c, account := made(t)
	want := session.Account{Chain: session.Solana, Address: account}
	e, err := verify(t.Context(), c, account, now)
	if err != nil || e.SessionKey != nil || !e.NotAfter.IsZero() || e.Account != want {
		t.Errorf("%+v, %v", e, err)
	}
	c.PublicKey = nil // the address is the key
	if e, err := verify(t.Context(), c, account, now); err != nil || e.Account != want {
		t.Errorf("without the public key: %+v, %v", e, err)
	}
}

// Every bit matters: of the signature, the key, the text and the address.
func TestEveryBitMatters(t *testing.T) {
	c, account := made(t)
	message := []byte(c.Message)
	address := []byte(account)
	for name, part := range map[string]*[]byte{
		"signature": (*[]byte)(&c.Signature), "key": (*[]byte)(&c.PublicKey), "text": &message, "address": &address,
	} {
		check := func() error {
			c.Message = string(message)
			_, err := verify(t.Context(), c, string(address), now)
			return err
		}
		whole := bytes.Clone(*part)
		for bit := range len(whole) * 8 {
			*part = bytes.Clone(whole)
			(*part)[bit/8] ^= 1 << (bit % 8)
			if check() == nil {
				t.Errorf("bit %d of the %s", bit, name)
			}
		}
		for n := range whole {
			*part = whole[:n]
			if check() == nil {
				t.Errorf("the %s cut at %d", name, n)
			}
		}
		*part = append(bytes.Clone(whole), 0)
		if check() == nil {
			t.Errorf("a longer %s", name)
		}
		if *part = whole; check() != nil {
			t.Errorf("the %s as it was", name)
		}
	}
}

// S and S plus the group's order are one signature in two spellings (RFC 8032,
// section 5.1.7); only the lesser is one.
func TestAMalleableSignatureIsRefused(t *testing.T) {
	c, account := made(t)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	little := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		return b
	}
	s := new(big.Int).SetBytes(little(c.Signature[32:]))
	copy(c.Signature[32:], little(s.Add(s, order).FillBytes(make([]byte, 32))))
	if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}

func TestAnothersKey(t *testing.T) {
	c, account := made(t)
	other, stranger := made(t)
	if _, err := verify(t.Context(), c, stranger, now); !errors.Is(err, ErrAccount) {
		t.Errorf("another address: %v", err)
	}
	c.PublicKey = other.PublicKey
	if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrAccount) {
		t.Errorf("another public key: %v", err)
	}
	c.PublicKey = nil
	if _, err := verify(t.Context(), c, stranger, now); !errors.Is(err, ErrSignature) {
		t.Errorf("another's signature: %v", err)
	}
	c.Delegations = []wallet.SignedDelegation{{}}
	if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrExtra) {
		t.Errorf("delegations: %v", err)
	}
}

// The system program's address is a key of small order: by the standard library
// anybody could sign for it.
func TestSmallOrderAddresses(t *testing.T) {
	universal := make([]byte, 64)
	universal[0] = 1
	identity := append([]byte{1}, make([]byte, 31)...)
	if !ed25519.Verify(identity, []byte(text), universal) {
		t.Error("the standard library refuses it: this test shows nothing")
	}
	for name, raw := range map[string][]byte{"system program": make([]byte, 32), "identity": identity} {
		address := base58.Encode(raw)
		if err := CheckAddress(address); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
		c := wallet.Credential{Message: text, Signature: universal, PublicKey: raw}
		if _, err := verify(t.Context(), c, address, now); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	const good = "2fPAQw1KAtiH5QuSchp1ymN6WxLkmpUu6xAsVNeGHvk5"
	leading := base58.Encode(append(make([]byte, 3), bytes.Repeat([]byte{9}, 29)...))
	for _, s := range []string{good, leading, "SysvarC1ock11111111111111111111111111111111"} {
		if err := CheckAddress(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if !strings.HasPrefix(leading, "111") || strings.HasPrefix(leading, "1111") {
		t.Errorf("three bytes of zero are spelled %s", leading)
	}
	for name, bad := range map[string]string{
		"empty": "", "a leading 1 more": "1" + good, "a leading 1 less": leading[1:], "another leading 1": "1" + leading,
		"shorter": good[:43], "longer": good + "5", "lower case": strings.ToLower(good), "a zero": "0" + good[1:], "an O": "O" + good[1:],
		"an I": "I" + good[1:], "an l": "l" + good[1:], "a space": " " + good, "a line break": good + "\n", "a null": good[:43] + "\x00", "not ASCII": good[:43] + "é",
		"33 bytes": base58.Encode(bytes.Repeat([]byte{9}, 33)), "31 bytes": base58.Encode(bytes.Repeat([]byte{9}, 31)),
		"very long": strings.Repeat("z", 1<<16), "an Ethereum address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	} {
		if CheckAddress(bad) == nil {
			t.Errorf("%s: %q accepted", name, bad)
		}
	}
}

func TestIdentityFile(t *testing.T) {
	id, _ := NewIdentity()
	b, err := id.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseIdentityPEM(b)
	if err != nil || back.Address() != id.Address() {
		t.Errorf("%v", err)
	}
	if _, err := ParseIdentityPEM(b[1:]); err == nil {
		t.Error("a file that is cut was read")
	}
}

// reference is base58 as plain arithmetic.
func reference(raw []byte) string {
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, base, digit := new(big.Int).SetBytes(raw), big.NewInt(58), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		out = append([]byte{digits[digit.Int64()]}, out...)
	}
	for _, b := range raw {
		if b != 0 {
			break
		}
		out = append([]byte{'1'}, out...)
	}
	return string(out)
}

// An address has one spelling, and it is that of plain arithmetic.
func FuzzCheckAddress(f *testing.F) {
	f.Add("2fPAQw1KAtiH5QuSchp1ymN6WxLkmpUu6xAsVNeGHvk5", make([]byte, 32))
	f.Add("11111111111111111111111111111111", bytes.Repeat([]byte{0xff}, 32))
	f.Add("", append(make([]byte, 5), 1, 2, 3))
	f.Fuzz(func(t *testing.T, s string, raw []byte) {
		if key, err := decodeAddress(s); err == nil && reference(key) != s {
			t.Errorf("%q is spelled %q", s, reference(key))
		}
		if len(raw) > 64 {
			raw = raw[:64]
		}
		text := base58.Encode(raw)
		if text != reference(raw) {
			t.Errorf("%x is spelled %q, not %q", raw, text, reference(raw))
		}
		if key, err := decodeAddress(text); (err == nil) != (wallet.CheckEd25519Key(raw) == nil) || err == nil && !bytes.Equal(key, raw) {
			t.Errorf("%x came back as %x, %v", raw, key, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	who, _ := NewIdentity()
	good, _ := who.Credential(text)
	f.Add(good)
	account := who.Address()
	f.Fuzz(func(t *testing.T, s string) {
		c, err := wallet.ParseCredential(s)
		if err != nil {
			return
		}
		if _, err := verify(t.Context(), c, account, now); err == nil && c.Message != text {
			t.Errorf("another text verifies: %q", c.Message)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	c, account := made(b)
	for b.Loop() {
		if _, err := verify(b.Context(), c, account, now); err != nil {
			b.Fatal(err)
		}
	}
}
