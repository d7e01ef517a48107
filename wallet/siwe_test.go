package wallet_test

import (
	"encoding/hex"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/ethereum"
)

// The public EIP-4361 suite. This reader differs from it in one rule: a nonce
// has at least 22 characters, because fewer cannot hold 128 random bits. Every
// nonce of the suite is shorter, so each text is read with its nonce made
// longer, and refused as it stands. One case is about nothing else:
//
//   - "nonce with less then 8 chars" stays as it is.

// fields is how the suite writes a message.
type fields struct {
	Scheme, Domain, Address, Statement, URI, Version, Nonce string
	ChainID                                                 any `json:"chainId"` // "?" in one case
	IssuedAt, ExpirationTime, NotBefore, RequestID          string
	Resources                                               []string
}

func (f fields) message() wallet.Message {
	m := wallet.Message{
		Scheme: f.Scheme, Domain: f.Domain, Noun: "Ethereum", Address: f.Address, Statement: f.Statement, URI: f.URI,
		Version: f.Version, Nonce: f.Nonce, IssuedAt: f.IssuedAt, ExpirationTime: f.ExpirationTime,
		NotBefore: f.NotBefore, RequestID: f.RequestID, Resources: f.Resources,
	}
	switch id := f.ChainID.(type) {
	case float64:
		m.ChainID = strconv.Itoa(int(id))
	case string:
		m.ChainID = id
	}
	return m
}

const longer = "0000000000000000000000"

// lengthened is the text with a nonce that has enough characters.
func lengthened(text string) string { return strings.Replace(text, "\nNonce: ", "\nNonce: "+longer, 1) }

func TestSIWETextsAreRead(t *testing.T) {
	var cases map[string]struct {
		Message string
		Fields  fields
	}
	vectors(t, "siwe_parsing_positive.json", &cases)
	if len(cases) != 19 {
		t.Errorf("%d cases", len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := read(ethereum.Chain(), c.Message); !errors.Is(err, errText) {
				t.Errorf("a nonce of %d characters: %v", len(c.Fields.Nonce), err)
			}
			got, err := read(ethereum.Chain(), lengthened(c.Message))
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != lengthened(c.Message) {
				t.Errorf("rendered as\n%s", got)
			}
			got.Nonce = strings.TrimPrefix(got.Nonce, longer)
			if want := c.Fields.message(); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestSIWETextsAreRefused(t *testing.T) {
	var cases map[string]string
	vectors(t, "siwe_parsing_negative.json", &cases)
	if len(cases) != 29 {
		t.Errorf("%d cases", len(cases))
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			if name != "nonce with less then 8 chars" {
				text = lengthened(text)
			}
			if m, err := read(ethereum.Chain(), text); !errors.Is(err, errText) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// The suite's objects, rendered, are no texts of the form either.
func TestSIWEObjectsAreRefused(t *testing.T) {
	var cases map[string]fields
	vectors(t, "siwe_parsing_negative_objects.json", &cases)
	if len(cases) != 18 {
		t.Errorf("%d cases", len(cases))
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			m := f.message()
			if f.Nonce != "" && name != "nonce with less then 8 chars" {
				m.Nonce = longer + m.Nonce
			}
			if m, err := read(ethereum.Chain(), m.String()); !errors.Is(err, errText) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// binding is a case of the suite's verification.
type binding struct {
	fields
	Signature, DomainBinding, MatchNonce string
	Time                                 time.Time
}

var (
	errTime  = errors.New("not its time")
	errBound = errors.New("bound to another text")
)

// verify checks a case the way the server does: the text is read, its time must
// be now, it must equal the text the server would write for its own domain and
// nonce, and only then the signature counts.
func (b binding) verify(t *testing.T) error {
	t.Helper()
	m := b.message()
	text := m.String()
	if _, err := read(ethereum.Chain(), lengthened(text)); err != nil {
		return err
	}
	now := b.Time
	if now.IsZero() {
		now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	}
	at := func(s string, otherwise time.Time) time.Time {
		if s == "" {
			return otherwise
		}
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err) // it was read
		}
		return parsed
	}
	if now.Before(at(m.NotBefore, now)) || !now.Before(at(m.ExpirationTime, now.Add(1))) {
		return errTime
	}
	own := m
	if b.DomainBinding != "" {
		own.Domain = b.DomainBinding
	}
	if b.MatchNonce != "" {
		own.Nonce = b.MatchNonce
	}
	if own.String() != text {
		return errBound
	}
	_, err := ethereum.Chain().Verify(t.Context(), wallet.Credential{Message: text, Signature: unhex(b.Signature)}, m.Address, now)
	return err
}

// unhex reads as many whole bytes as there are: one signature of the suite has
// half a byte more.
func unhex(s string) []byte {
	b, _ := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	return b
}

func TestSIWEMessagesVerify(t *testing.T) {
	var cases map[string]binding
	vectors(t, "siwe_verification_positive.json", &cases)
	if len(cases) != 4 {
		t.Errorf("%d cases", len(cases))
	}
	for name, c := range cases {
		if err := c.verify(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSIWEMessagesDoNotVerify(t *testing.T) {
	var cases map[string]binding
	vectors(t, "siwe_verification_negative.json", &cases)
	reasons := map[string]error{
		"expired message": errTime, "custom time": errTime, "not yet valid": errTime,
		"domain binding": errBound, "custom nonce": errBound,
		// The malformed one has a digit too many.
		"malformed signature": ethereum.ErrSignature, "wrong signature": ethereum.ErrAccount,
		"invalid issuedAt": errText, "invalid notBefore": errText, "invalid expirationTime": errText,
	}
	if len(cases) != len(reasons) {
		t.Errorf("%d cases", len(cases))
	}
	for name, c := range cases {
		want, known := reasons[name]
		if err := c.verify(t); !known || !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}

// Contract wallets get an answer that a person can act on, whether their
// signature has another length or is that of an owner's key.
func TestContractWalletsAreToldWhy(t *testing.T) {
	var cases map[string]struct{ Message, Signature string }
	vectors(t, "siwe_eip1271.json", &cases)
	reasons := map[string]error{"argent": ethereum.ErrAccount, "loopring": ethereum.ErrContract}
	if len(cases) != len(reasons) {
		t.Errorf("%d cases", len(cases))
	}
	for name, c := range cases {
		m, err := read(ethereum.Chain(), lengthened(c.Message))
		if err != nil {
			t.Fatal(err)
		}
		_, err = ethereum.Chain().Verify(t.Context(), wallet.Credential{Message: c.Message, Signature: unhex(c.Signature)}, m.Address, time.Time{})
		var refused *session.Error
		if !errors.As(err, &refused) || refused.Code != session.CodeCredentialInvalid || !strings.Contains(refused.Message, "Contract wallets (EIP-1271, ERC-6492) are not supported") || !errors.Is(err, reasons[name]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
