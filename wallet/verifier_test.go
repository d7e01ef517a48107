package wallet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

var (
	errChain = errors.New("a secret of the log")
	issued   = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
)

// believing returns a verifier over one chain that answers every text it is
// asked about with err.
func believing(err error) *Verifier {
	return New(Config{Domain: "app.example.com", URI: "https://app.example.com/s", Service: "Example"}, Chain{
		Name: session.Solana, Noun: "Solana", ChainID: "mainnet", Type: "t",
		Canonical: func(string) error { return nil },
		Verify: func(context.Context, Credential, string, time.Time) (session.Evidence, error) {
			return session.Evidence{}, err
		},
	})
}

func challenge() session.Challenge {
	return session.Challenge{
		Purpose: session.PurposeSignIn, Type: session.Standard, Account: session.Account{Chain: session.Solana, Address: "1"},
		Nonce: strings.Repeat("a", 64), IssuedAt: issued, ExpiresAt: issued.Add(session.ChallengeLife),
	}
}

func present(t *testing.T, v *Verifier, text string) error {
	t.Helper()
	s, err := Credential{Version: 1, Type: "t", Message: text, Signature: Blob{1}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Verify(t.Context(), challenge(), issued)
	return err
}

// Every text of the form can be read, but only the server's own opens anything,
// even where the signature would hold.
func TestATextWithOtherFieldsIsNotOurs(t *testing.T) {
	v := believing(nil)
	own, err := v.text(challenge())
	if err != nil {
		t.Fatal(err)
	}
	if err := present(t, v, own); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Message){
		"a scheme":             func(m *Message) { m.Scheme = "https" },
		"another domain":       func(m *Message) { m.Domain = "evil.example.com" },
		"userinfo":             func(m *Message) { m.Domain = "app.example.com@evil.example.com" },
		"no statement":         func(m *Message) { m.Statement = "" },
		"another statement":    func(m *Message) { m.Statement += "!" },
		"another URI":          func(m *Message) { m.URI += "/" },
		"another chain ID":     func(m *Message) { m.ChainID = "devnet" },
		"another nonce":        func(m *Message) { m.Nonce = strings.Repeat("b", 64) },
		"issued otherwise":     func(m *Message) { m.IssuedAt = "2026-11-23T10:00:00Z" },
		"another zone":         func(m *Message) { m.ExpirationTime = "2026-11-23T12:05:00.000+02:00" },
		"no expiration time":   func(m *Message) { m.ExpirationTime = "" },
		"a later end":          func(m *Message) { m.ExpirationTime = "2099-11-23T10:05:00.000Z" },
		"not before":           func(m *Message) { m.NotBefore = "2026-11-23T10:00:00.000Z" },
		"no request ID":        func(m *Message) { m.RequestID = "" },
		"another request ID":   func(m *Message) { m.RequestID += "0" },
		"no resources":         func(m *Message) { m.Resources = nil },
		"empty resources":      func(m *Message) { m.Resources = []string{} },
		"another resource":     func(m *Message) { m.Resources = []string{"urn:mentalverse:session:professional"} },
		"one resource further": func(m *Message) { m.Resources = append(m.Resources, "a:b") },
		"another account":      func(m *Message) { m.Address = "2" },
	} {
		m, err := ParseMessage(own)
		if err != nil {
			t.Fatal(err)
		}
		change(&m)
		if err := present(t, v, m.String()); session.CodeOf(err) != session.CodeChallengeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAChainsOwnRefusalIsSaid(t *testing.T) {
	own, _ := believing(nil).text(challenge())
	var e *session.Error
	if err := present(t, believing(errChain), own); !errors.As(err, &e) || e.Code != session.CodeCredentialInvalid || strings.Contains(e.Message, "secret") {
		t.Errorf("an error for the log: %v", err)
	}
	said := session.Refuse(session.CodeCredentialInvalid, "Use another wallet.", errChain)
	if err := present(t, believing(said), own); !errors.As(err, &e) || e.Message != said.Message || !errors.Is(err, errChain) {
		t.Errorf("a refusal to be said: %v", err)
	}
}

func TestAServiceThatNoTextCanNameIsRefused(t *testing.T) {
	good := Config{Domain: "localhost:8080", URI: "http://localhost:8080/api", Service: "Dr. Who's (a & b)"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no name":          func(c *Config) { c.Service = "" },
		"a line break":     func(c *Config) { c.Service = "a\nb" },
		"an escape":        func(c *Config) { c.Service = "a\x1bb" },
		"another script":   func(c *Config) { c.Service = "Köln" },
		"a zone":           func(c *Config) { c.Domain = "[fe80::1%eth0]" },
		"no host":          func(c *Config) { c.Domain = ":8080" },
		"a mark in a path": func(c *Config) { c.URI = "https://localhost/a|b" },
	} {
		c := good
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
