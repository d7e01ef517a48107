package wallet_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/ethereum"
	"github.com/mentalverse/session/wallet/solana"
)

// Not a bit of a credential's text may differ, and nothing may be cut off. The
// JSON has one spelling too as far as single bits go.
func TestEveryBitOfACredentialMatters(t *testing.T) {
	v := wallet.New(wallet.Config{Domain: "app.example.com", URI: "https://app.example.com/s", Service: "Example"}, ethereum.Chain(), solana.Chain())
	eth, err := ethereum.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sol, err := solana.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for chain, who := range map[session.Chain]interface {
		Address() string
		Credential(text string) (string, error)
	}{session.Ethereum: eth, session.Solana: sol} {
		c := session.Challenge{
			Purpose: session.PurposeSignIn, Type: session.Standard, Account: session.Account{Chain: chain, Address: who.Address()},
			Nonce: strings.Repeat("n", 64), IssuedAt: now, ExpiresAt: now.Add(session.ChallengeLife),
		}
		asked, err := v.Ask(c)
		if err != nil {
			t.Fatal(err)
		}
		good, err := who.Credential(asked.Message)
		if err != nil {
			t.Fatal(err)
		}
		try := func(credential string) error {
			p, err := v.Open(credential)
			if err != nil {
				return err
			}
			if p.Claim(now) != (session.Claim{Account: c.Account, Nonce: c.Nonce}) {
				return errors.New("the nonce is another account's")
			}
			_, err = p.Verify(t.Context(), c, now)
			return err
		}
		if err := try(good); err != nil {
			t.Fatal(err)
		}
		for i := range good {
			if try(good[:i]) == nil {
				t.Errorf("%s: cut at %d", chain, i)
			}
			for bit := range 8 {
				altered := []byte(good)
				altered[i] ^= 1 << bit
				if try(string(altered)) == nil {
					t.Errorf("%s: bit %d of character %d", chain, bit, i)
				}
			}
		}
	}
}
