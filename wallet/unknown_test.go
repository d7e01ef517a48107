package wallet

import (
	"context"
	"errors"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// What a chain does not know is not told as an invalid credential.
func TestAChainThatDoesNotKnow(t *testing.T) {
	busy := session.Refuse(session.CodeUnavailable, "busy", nil)
	for want, cause := range map[session.Code]error{session.CodeUnavailable: busy, session.CodeCredentialInvalid: errors.New("bad")} {
		v := New(Config{Domain: "a.example", URI: "https://a.example", Service: "A"}, Chain{
			Name: session.InternetComputer, Noun: "Internet Computer", ChainID: "icp:1", Type: "t",
			Canonical: func(string) error { return nil },
			Verify: func(context.Context, Credential, string, time.Time) (session.Evidence, error) {
				return session.Evidence{}, cause
			},
		})
		c := session.Challenge{Purpose: session.PurposeSignIn, Type: session.Standard, Account: session.Account{Chain: session.InternetComputer, Address: "a"}, Nonce: "n"}
		text, err := v.Prompt(c)
		if err != nil {
			t.Fatal(err)
		}
		credential, err := Credential{Version: 1, Type: "t", Message: text, Signature: Blob{1}}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		p, err := v.Open(credential)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Verify(t.Context(), c, time.Now()); session.CodeOf(err) != want || !errors.Is(err, cause) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
