package ethereum

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

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
	e, err := verify(t.Context(), c, account, now)
	if err != nil || e.SessionKey != nil || !e.NotAfter.IsZero() || e.Account != (session.Account{Chain: session.Ethereum, Address: account}) {
		t.Errorf("%+v, %v", e, err)
	}
}

// Every bit matters. A signature has a second spelling, with 0 and 1 for 27 and
// 28, but no single bit leads from the one to the other.
func TestEveryBitMatters(t *testing.T) {
	c, account := made(t)
	whole := bytes.Clone(c.Signature)
	for bit := range len(whole) * 8 {
		c.Signature = bytes.Clone(whole)
		c.Signature[bit/8] ^= 1 << (bit % 8)
		if _, err := verify(t.Context(), c, account, now); err == nil {
			t.Errorf("bit %d of the signature", bit)
		}
	}
	for n := range whole {
		c.Signature = whole[:n]
		if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrContract) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	c.Signature = whole
	for bit := range len(text) * 8 {
		altered := []byte(text)
		altered[bit/8] ^= 1 << (bit % 8)
		c.Message = string(altered)
		if _, err := verify(t.Context(), c, account, now); err == nil {
			t.Errorf("bit %d of the text", bit)
		}
	}
	for n := range len(text) {
		c.Message = text[:n]
		if _, err := verify(t.Context(), c, account, now); err == nil {
			t.Errorf("the text cut at %d", n)
		}
	}
	c.Message = text
	for bit := range len(account) * 8 {
		altered := []byte(account)
		altered[bit/8] ^= 1 << (bit % 8)
		if _, err := verify(t.Context(), c, string(altered), now); err == nil {
			t.Errorf("bit %d of the address", bit)
		}
	}
}

func TestOnlyFourRecoveryBytes(t *testing.T) {
	c, account := made(t)
	right := c.Signature[64]
	for v := range 256 {
		c.Signature[64] = byte(v)
		_, err := verify(t.Context(), c, account, now)
		switch {
		case byte(v) == right || byte(v)+27 == right:
			if err != nil {
				t.Errorf("v %d: %v", v, err)
			}
		case v <= 1 || v == 27 || v == 28: // the other of the two keys
			if err == nil || errors.Is(err, ErrContract) {
				t.Errorf("v %d: %v", v, err)
			}
		case !errors.Is(err, ErrSignature):
			t.Errorf("v %d: %v", v, err)
		}
	}
}

func TestScalarsOutOfRange(t *testing.T) {
	c, account := made(t)
	n := secp256k1.Params().N
	whole := bytes.Clone(c.Signature)
	s := new(big.Int).SetBytes(whole[32:64])
	half := new(big.Int).Rsh(n, 1)
	scalar := func(i *big.Int) []byte { return i.FillBytes(make([]byte, 32)) }
	for name, sig := range map[string][]byte{
		"r is zero":            slices.Concat(make([]byte, 32), whole[32:]),
		"s is zero":            slices.Concat(whole[:32], make([]byte, 32), whole[64:]),
		"r is the order":       slices.Concat(scalar(n), whole[32:]),
		"s is the order":       slices.Concat(whole[:32], scalar(n), whole[64:]),
		"r and s are all ones": slices.Concat(bytes.Repeat([]byte{0xff}, 64), whole[64:]),
		// The same signature: v changes with the sign of s. It recovers the key.
		"high s":                 slices.Concat(whole[:32], scalar(new(big.Int).Sub(n, s)), []byte{whole[64] ^ 7}),
		"s just over the half":   slices.Concat(whole[:32], scalar(new(big.Int).Add(half, big.NewInt(1))), whole[64:]),
		"s beyond the order":     slices.Concat(whole[:32], scalar(new(big.Int).Add(n, big.NewInt(5))), whole[64:]),
		"r that is not on curve": slices.Concat(scalar(big.NewInt(5)), whole[32:]),
	} {
		c.Signature = sig
		if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The greatest s that may be: another key's, but not refused as malformed.
	c.Signature = slices.Concat(whole[:32], scalar(half), whole[64:])
	if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrAccount) {
		t.Errorf("half the order: %v", err)
	}
}

func TestContractSignatures(t *testing.T) {
	c, account := made(t)
	whole := bytes.Clone(c.Signature)
	for name, sig := range map[string][]byte{
		"none":                      {},
		"64 bytes (EIP-2098)":       whole[:64],
		"66 bytes":                  append(bytes.Clone(whole), 2),
		"two owners":                append(bytes.Clone(whole), whole...),
		"ERC-6492":                  append(bytes.Clone(whole), counterfactual...),
		"ERC-6492, 65 bytes in all": append(bytes.Clone(whole[:33]), counterfactual...),
	} {
		c.Signature = sig
		_, err := verify(t.Context(), c, account, now)
		var refused *session.Error
		if !errors.Is(err, ErrContract) || !errors.As(err, &refused) || !strings.Contains(refused.Message, "not supported") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNotCheckedIsNotTaken(t *testing.T) {
	c, account := made(t)
	c.PublicKey = []byte{4}
	if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrExtra) {
		t.Errorf("a public key: %v", err)
	}
	c.PublicKey, c.Delegations = nil, []wallet.SignedDelegation{{}}
	if _, err := verify(t.Context(), c, account, now); !errors.Is(err, ErrExtra) {
		t.Errorf("delegations: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for _, good := range []string{ // the examples of EIP-55
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D", // all capitals by chance
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26", // none by chance
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		if err := CheckAddress(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	const good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	for name, bad := range map[string]string{
		"empty": "", "lower case": strings.ToLower(good), "upper case": "0x" + strings.ToUpper(good[2:]), "0X": "0X" + good[2:],
		"no 0x": good[2:], "one letter in another case": "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "another digit": good[:41] + "e",
		"shorter": good[:41], "longer": good + "0", "zero": zeroAddress, "a line break": good[:41] + "\n", "not hex": good[:41] + "g",
		"a name": "vitalik.eth", "chain-specific (EIP-1191)": "0x5aaEB6053f3e94c9b9a09f33669435E7ef1bEAeD",
	} {
		if CheckAddress(bad) == nil {
			t.Errorf("%s: %q accepted", name, bad)
		}
	}
}

func TestIdentityFile(t *testing.T) {
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	b, err := id.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseIdentityPEM(b)
	if err != nil || back.Address() != id.Address() {
		t.Errorf("%v", err)
	}
	block, _ := pem.Decode(b)
	file := func(der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))
	}
	keys := func(private, public []byte) string {
		return file(slices.Concat(beforePrivate, private, beforePublic, public))
	}
	other, _ := NewIdentity()
	raw, public := id.key.Serialize(), id.key.PubKey().SerializeUncompressed()
	order := secp256k1.Params().N
	for name, bad := range map[string]string{
		"empty": "", "not PEM": "x", "trailing data": string(b) + "x", "another type": strings.ReplaceAll(string(b), "EC PRIVATE", "PRIVATE"),
		"empty block": file(nil), "cut": file(block.Bytes[:20]), "longer": file(append(bytes.Clone(block.Bytes), 0)),
		"another's public key": keys(raw, other.key.PubKey().SerializeUncompressed()),
		"a key of zero":        keys(make([]byte, 32), append([]byte{4}, make([]byte, 64)...)),
		"a key beyond the order": keys(new(big.Int).Add(order, big.NewInt(1)).FillBytes(make([]byte, 32)),
			secp256k1.NewPrivateKey(new(secp256k1.ModNScalar).SetInt(1)).PubKey().SerializeUncompressed()),
		"another curve": file(bytes.Replace(block.Bytes, []byte{0x2b, 0x81, 0x04, 0x00, 0x0a}, []byte{0x2b, 0x81, 0x04, 0x00, 0x0b}, 1)),
		"compressed":    file(slices.Concat(beforePrivate, raw, beforePublic, public[:33])),
	} {
		if _, err := ParseIdentityPEM([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// A key that OpenSSL made, and its address by another implementation.
	const openssl = `-----BEGIN EC PRIVATE KEY-----
MHQCAQEEII3GUsUEwqhmZsBVQNioyqEFa9JA1m6yQ64SEBRTu9fhoAcGBSuBBAAK
oUQDQgAE0YosMlNdykXxS5ENPZLCcxBcCZumZxOKJ7lwb6npNXvB3wy8VxPF7X9/
7PwkfJUV7+4mnTWZ3ybNDgE7k3Um6A==
-----END EC PRIVATE KEY-----
`
	got, err := ParseIdentityPEM([]byte(openssl))
	if err != nil || got.Address() != "0x9c1f927c246506817363fd21ca735DF02CEAcA1F" {
		t.Errorf("%v, %v", got, err)
	}
	if again, _ := got.MarshalPEM(); string(again) != openssl {
		t.Errorf("written as %s", again)
	}
}

func FuzzCheckAddress(f *testing.F) {
	f.Add("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	f.Add(zeroAddress)
	f.Fuzz(func(t *testing.T, s string) {
		if CheckAddress(s) != nil {
			return
		}
		raw, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
		if err != nil || len(raw) != 20 || encodeAddress(raw) != s {
			t.Errorf("%q", s)
		}
	})
}

func FuzzRecover(f *testing.F) {
	c, _ := made(f)
	f.Add(text, []byte(c.Signature))
	f.Add("", make([]byte, 65))
	f.Fuzz(func(t *testing.T, text string, sig []byte) {
		a, err := recoverAddress(text, sig)
		if (err == nil) != (CheckAddress(a) == nil) {
			t.Errorf("%q, %v", a, err)
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

func FuzzParseIdentityPEM(f *testing.F) {
	id, _ := NewIdentity()
	b, _ := id.MarshalPEM()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := ParseIdentityPEM(b)
		if err != nil {
			return
		}
		again, _ := id.MarshalPEM()
		if back, err := ParseIdentityPEM(again); err != nil || back.Address() != id.Address() {
			t.Error(err)
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
