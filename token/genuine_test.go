package token_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

// Of a text that was found genuine before, the session, the generation and the
// times are read again, and nothing else is looked at.
func TestAKnownTextIsReadByItsHead(t *testing.T) {
	key, err := token.GenerateKey(token.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	said := token.Claims{
		Issuer: "https://x.example", Subject: "user_1", SessionID: token.NewID(token.Standard, at), Generation: 7,
		IssuedAt: at, ExpiresAt: at.Add(time.Hour), AuthTime: at, Scope: []string{"read:profile"}, Type: "standard",
	}
	raw, err := key.Sign(said)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewKeySet(said.Issuer, key)
	var asked []token.ID
	known := func(id token.ID) bool { asked = append(asked, id); return true }
	got, err := set.Genuine(raw, known)
	want := token.Claims{SessionID: said.SessionID, Generation: 7, IssuedAt: said.IssuedAt, ExpiresAt: said.ExpiresAt}
	if err != nil || !same(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if len(asked) != 1 || asked[0] != said.SessionID {
		t.Errorf("asked about %v", asked)
	}

	// A text whose header is no key's, or whose head cannot be read, is not asked
	// about; one that is not known is checked whole.
	header, rest, _ := strings.Cut(raw, ".")
	for name, text := range map[string]string{"another header": header[1:] + "." + rest, "no payload": header + ".." + rest, "a cut payload": header + "." + rest[:40] + ".sig"} {
		asked = nil
		if _, err := set.Genuine(text, known); !errors.Is(err, token.ErrInvalid) || asked != nil {
			t.Errorf("%s: %v, asked about %v", name, err, asked)
		}
	}
	if _, err := set.Genuine(raw[:len(raw)-4]+"AAAA", func(token.ID) bool { return false }); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("an unknown text with another signature: %v", err)
	}
}

func same(a, b token.Claims) bool {
	return a.Issuer == b.Issuer && a.Subject == b.Subject && a.SessionID == b.SessionID && a.Generation == b.Generation &&
		a.IssuedAt.Equal(b.IssuedAt) && a.ExpiresAt.Equal(b.ExpiresAt) && a.Scope == nil && b.Scope == nil && a.Type == b.Type
}
