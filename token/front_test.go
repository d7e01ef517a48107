package token

import (
	"strings"
	"testing"
	"time"
)

// Of a known token only the front is decoded. Wherever that ends in the payload,
// within a number too, what is told of it is what it says.
func TestAKnownTokenSaysTheSame(t *testing.T) {
	key, err := GenerateKey(HS256)
	if err != nil {
		t.Fatal(err)
	}
	set := NewKeySet("https://x.example", key)
	at := time.Unix(1_780_000_000, 0).UTC()
	for n := range 160 {
		want := Claims{
			Issuer: "https://x.example", Subject: strings.Repeat("s", n+1), Type: "standard", SessionID: NewID(Standard, at),
			Generation: 1234567, IssuedAt: at, ExpiresAt: at.Add(time.Hour), AuthTime: at,
		}
		raw, err := key.Sign(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := set.Genuine(raw, func(id ID) bool { return id == want.SessionID })
		if err != nil || got.Subject != "" || got.SessionID != want.SessionID || got.Generation != want.Generation || !got.IssuedAt.Equal(want.IssuedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) {
			t.Errorf("a subject of %d letters: %+v, %v", n+1, got, err)
		}
		if got, err = set.Genuine(raw, func(ID) bool { return false }); err != nil || got.Subject != want.Subject {
			t.Errorf("a subject of %d letters, unknown: %+v, %v", n+1, got, err)
		}
	}
}
