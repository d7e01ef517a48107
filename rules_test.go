package session

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

func testKey() challengeKey { return challengeKey{key: [32]byte{1, 2, 3}, epoch: 4} }

var testChallenge = Challenge{
	Purpose: PurposeSignIn, Type: Standard, Account: Account{Chain: InternetComputer, Address: "aaaaa-aa"},
}

var issuedAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// Every field that a nonce was made for matters, and so does its time.
func TestANonceIsBoundToItsUse(t *testing.T) {
	k := testKey()
	c := k.issue(testChallenge, issuedAt)
	if _, _, err := k.open(c, issuedAt.Add(ChallengeLife-time.Second)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Challenge, *challengeKey, *time.Time){
		"purpose": func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Purpose = PurposeReauthenticate },
		"type":    func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Type = Professional },
		"chain":   func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Account.Chain = Solana },
		"address": func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Account.Address = "aaaaa-ab" },
		"session": func(c *Challenge, _ *challengeKey, _ *time.Time) { c.SessionID = token.NewID(token.Standard, issuedAt) },
		"epoch":   func(_ *Challenge, k *challengeKey, _ *time.Time) { k.epoch++ },
		"key":     func(_ *Challenge, k *challengeKey, _ *time.Time) { k.key[31]++ },
		"late":    func(_ *Challenge, _ *challengeKey, now *time.Time) { *now = now.Add(ChallengeLife) },
		"early":   func(_ *Challenge, _ *challengeKey, now *time.Time) { *now = now.Add(-2 * time.Minute) },
		"empty":   func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Nonce = "" },
		"short":   func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Nonce = c.Nonce[:63] },
		"breaks":  func(c *Challenge, _ *challengeKey, _ *time.Time) { c.Nonce = c.Nonce[:63] + "\n" },
	} {
		c, k, now := c, k, issuedAt
		change(&c, &k, &now)
		if _, _, err := k.open(c, now); err == nil {
			t.Errorf("%s does not matter", name)
		}
	}
}

// The key is fresh in each process, so that only this process's nonce opens.
func FuzzNonce(f *testing.F) {
	k := testKey()
	rand.Read(k.key[:])
	good := k.issue(testChallenge, issuedAt)
	f.Add(good.Nonce)
	f.Add("")
	f.Fuzz(func(t *testing.T, nonce string) {
		c := testChallenge
		c.Nonce = nonce
		if _, _, err := k.open(c, issuedAt); err == nil && nonce != good.Nonce {
			t.Errorf("%q opens", nonce)
		}
	})
}

// The refresh rule, cell by cell.
func TestTheRefreshRule(t *testing.T) {
	at := func(d time.Duration) time.Time { return issuedAt.Add(d) }
	for name, c := range map[string]struct {
		g, gen, used, min uint32
		since             time.Duration
		want              refreshVerdict
	}{
		"the current one":                     {5, 5, 5, 1, time.Hour, refreshStep},
		"the current one, at once":            {5, 5, 4, 1, 0, refreshStep},
		"its predecessor, answer lost":        {4, 5, 4, 1, 11 * time.Hour, refreshAgain},
		"its predecessor, in the grace":       {4, 5, 5, 1, 10 * time.Second, refreshAgain},
		"its predecessor, grace over":         {4, 5, 5, 1, 10*time.Second + 1, refreshSuperseded},
		"its predecessor, at the soft end":    {4, 5, 5, 1, 120 * time.Second, refreshSuperseded},
		"its predecessor, later":              {4, 5, 5, 1, 120*time.Second + 1, refreshTheft},
		"an older one, soon":                  {3, 5, 4, 1, 0, refreshSuperseded},
		"an older one, successor not used":    {3, 5, 4, 1, 120*time.Second + 1, refreshTheft},
		"dead by elevation, in the grace":     {4, 5, 4, 5, 0, refreshSuperseded},
		"dead by elevation, later":            {4, 5, 4, 5, 121 * time.Second, refreshTheft},
		"newer than the store":                {6, 5, 5, 1, 0, refreshRollback},
		"a step half a minute ahead of us":    {4, 5, 5, 1, -30 * time.Second, refreshAgain},
		"its predecessor, the clock set back": {4, 5, 5, 1, -time.Hour, refreshSuperseded},
		"answer lost, the clock set back":     {4, 5, 4, 1, -time.Hour, refreshAgain},
		"an older one, the clock set back":    {3, 5, 5, 1, -time.Hour, refreshSuperseded},
	} {
		s := Session{Generation: c.gen, UsedGen: c.used, MinGen: c.min, SteppedAt: issuedAt}
		if got := s.judgeRefresh(c.g, at(c.since)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
