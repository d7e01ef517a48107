package icp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/wallet"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

var mainnet = newNetwork(Mainnet())

const text = "a text that a wallet signs"

// made returns a credential of who, open for tampering, and the account.
func made(t testing.TB, who *Identity) (wallet.Credential, string) {
	t.Helper()
	s, err := who.Credential(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := wallet.ParseCredential(s)
	if err != nil {
		t.Fatal(err)
	}
	return c, who.Principal()
}

func identities(t testing.TB) map[string]*Identity {
	t.Helper()
	must := func(i *Identity, err error) *Identity {
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	ed, p256, secp := must(NewIdentity()), must(NewP256Identity()), must(NewSecp256k1Identity())
	return map[string]*Identity{
		"Ed25519": ed, "P-256": p256, "secp256k1": secp,
		"Ed25519 → P-256":             must(ed.Delegate(p256, now.Add(time.Hour))),
		"secp256k1 → P-256 → Ed25519": must(must(secp.Delegate(p256, now.Add(time.Hour))).Delegate(ed, now.Add(2*time.Hour))),
	}
}

func TestOwnIdentitiesVerify(t *testing.T) {
	for name, id := range identities(t) {
		c, account := made(t, id)
		e, err := mainnet.verify(t.Context(), c, account, now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if delegated := len(c.Delegations) > 0; delegated != (e.SessionKey != nil) || delegated && !e.NotAfter.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Every bit matters: of the signature, the key and the delegations.
func TestEveryBitMatters(t *testing.T) {
	for name, id := range identities(t) {
		c, account := made(t, id)
		parts := map[string]*wallet.Blob{"signature": &c.Signature, "key": &c.PublicKey}
		for i := range c.Delegations {
			parts["delegated key"] = &c.Delegations[i].Delegation.PublicKey
			parts["delegation's signature"] = &c.Delegations[i].Signature
		}
		for part, b := range parts {
			whole := bytes.Clone(*b)
			for bit := range len(whole) * 8 {
				*b = bytes.Clone(whole)
				(*b)[bit/8] ^= 1 << (bit % 8)
				if _, err := mainnet.verify(t.Context(), c, account, now); err == nil {
					t.Errorf("%s: bit %d of the %s", name, bit, part)
				}
			}
			for n := range whole {
				*b = whole[:n]
				if _, err := mainnet.verify(t.Context(), c, account, now); err == nil {
					t.Errorf("%s: the %s cut at %d", name, part, n)
				}
			}
			*b = append(bytes.Clone(whole), 0)
			if _, err := mainnet.verify(t.Context(), c, account, now); err == nil {
				t.Errorf("%s: a longer %s", name, part)
			}
			*b = whole
		}
	}
}

func TestRefusedDelegations(t *testing.T) {
	ed, _ := NewIdentity()
	p256, _ := NewP256Identity()
	all, queries, none := "all", "queries", ""
	base := func() wallet.Delegation {
		return wallet.Delegation{PublicKey: p256.PublicKey(), Expiration: "1795456800000000000"}
	}
	for name, c := range map[string]struct {
		change func(*wallet.Delegation)
		want   error
	}{
		"plain":             {func(d *wallet.Delegation) {}, nil},
		"all":               {func(d *wallet.Delegation) { d.Permissions = &all }, nil},
		"queries":           {func(d *wallet.Delegation) { d.Permissions = &queries }, ErrPermissions},
		"no permission":     {func(d *wallet.Delegation) { d.Permissions = &none }, ErrPermissions},
		"empty targets":     {func(d *wallet.Delegation) { d.Targets = &[]string{} }, ErrTargets},
		"expired":           {func(d *wallet.Delegation) { d.Expiration = "1795000000000000000" }, ErrExpired},
		"ends now":          {func(d *wallet.Delegation) { d.Expiration = "1795428000000000000" }, ErrExpired},
		"far future":        {func(d *wallet.Delegation) { d.Expiration = "18446744073709551615" }, nil},
		"to itself":         {func(d *wallet.Delegation) { d.PublicKey = ed.PublicKey() }, ErrCycle},
		"to an unknown key": {func(d *wallet.Delegation) { d.PublicKey = []byte{1, 2, 3} }, ErrKey},
	} {
		d := base()
		c.change(&d)
		id, err := ed.delegate(p256, d)
		if err != nil {
			t.Fatal(err)
		}
		cred, account := made(t, id)
		if _, err := mainnet.verify(t.Context(), cred, account, now); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for _, s := range []string{"", "-1", "+1", "01", "1e9", "18446744073709551616", " 1", "1.0"} {
		if _, _, err := expiration(s); err == nil {
			t.Errorf("expiration %q accepted", s)
		}
	}
}

// One signature of a small-order key fits every text: the standard library
// accepts it, we do not accept the key. Package wallet holds the list.
func TestSmallOrderKeys(t *testing.T) {
	universal := make([]byte, 64)
	universal[0] = 1 // R is the identity, S is zero
	for _, sign := range []byte{0, 0x80} {
		raw := make([]byte, 32)
		raw[0], raw[31] = 1, sign
		der := append(bytes.Clone(ed25519Prefix), raw...)
		c := wallet.Credential{Message: text, PublicKey: der, Signature: universal}
		if _, err := mainnet.verify(t.Context(), c, principalOf(der), now); !errors.Is(err, ErrKey) {
			t.Errorf("%x: %v", raw, err)
		}
	}
}

func TestPrincipals(t *testing.T) {
	id, _ := NewIdentity()
	good := id.Principal()
	if err := CheckPrincipal(good); err != nil {
		t.Error(err)
	}
	for name, s := range map[string]string{
		"empty": "", "anonymous": "2vxsx-fae", "a canister": "rdmx6-jaaaa-aaaaa-aaadq-cai", "the specification's": "rdmx6-jaaaa-aaaah-qcaiq-cai",
		"upper case": strings.ToUpper(good), "no dashes": strings.ReplaceAll(good, "-", ""), "other groups": good[:4] + "-" + good[4:5] + good[6:],
		"wrong checksum": "aaaaa" + good[5:], "line break": good[:62] + "\n", "longer": good + "a",
	} {
		if CheckPrincipal(s) == nil {
			t.Errorf("%s: %q accepted", name, s)
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
	if err != nil || back.Principal() != id.Principal() {
		t.Errorf("%v", err)
	}
	p256, _ := NewP256Identity()
	if _, err := p256.MarshalPEM(); err == nil {
		t.Error("a P-256 identity was written")
	}
	for _, bad := range []string{"", "x", string(b) + "x", strings.Replace(string(b), "PRIVATE", "PUBLIC", 2)} {
		if _, err := ParseIdentityPEM([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func FuzzCheckPrincipal(f *testing.F) {
	id, _ := NewIdentity()
	f.Add(id.Principal())
	f.Add("2vxsx-fae")
	f.Fuzz(func(t *testing.T, s string) {
		if CheckPrincipal(s) == nil && (len(s) != principalTextLen || strings.ToLower(s) != s) {
			t.Errorf("%q", s)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	for _, id := range identities(f) {
		f.Add(id.PublicKey(), []byte("m"), make([]byte, 64))
	}
	f.Fuzz(func(t *testing.T, der, message, signature []byte) {
		if k, err := mainnet.publicKey(der); err == nil && k.verify(t.Context(), message, signature) == nil {
			t.Errorf("%x verifies %x over %x", der, signature, message)
		}
	})
}

func FuzzVerify(f *testing.F) {
	id, _ := NewIdentity()
	session, _ := NewP256Identity()
	delegated, _ := id.Delegate(session, now.Add(time.Hour))
	good, _ := delegated.Credential(text)
	f.Add(good)
	want := id.Principal()
	f.Fuzz(func(t *testing.T, s string) {
		c, err := wallet.ParseCredential(s)
		if err != nil {
			return
		}
		if _, err := mainnet.verify(t.Context(), c, want, now); err == nil && c.Message != text {
			t.Errorf("another text verifies: %q", c.Message)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for name, id := range identities(b) {
		c, account := made(b, id)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := mainnet.verify(b.Context(), c, account, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
