//go:build !race

// The race detector makes minutes of these seconds: make test runs them without
// it.

package anonymity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// PRI-03: a hundred members, whose names the linker knows, open a session each;
// thirty times over. With all that is stored it guesses no better than somebody
// who has nothing: one in a hundred, and two more at the most. In every second
// crowd people act anonymously right after they acted under their names. In the
// others the bytes of the file are looked at, too: of the former, SQLite's pages
// tell a little (docs/anonymity.md).
//
// What the log tells is held by server's tests: at its usual level nothing.
func TestALinkerGuesses(t *testing.T) {
	l := observe(t, 30, func(t *testing.T, rng *rand.Rand) *crowd { return newCrowd(t, rng, 100, false, nil) }, func(n int) bool { return n%2 == 0 })
	strategies, rate := l.best()
	for _, s := range strategies {
		if rate(s) > 0.01+0.02 {
			t.Errorf("%.1f %% are found by: %s", 100*rate(s), s)
		}
	}
	t.Logf("of %d strategies the best hits %.2f %%: %s", len(strategies), 100*rate(strategies[0]), strategies[0])
}

// The same linker finds nearly everybody as soon as something leaks.
func TestTheLinkerSeesALeak(t *testing.T) {
	ofAnonymous := func(change func(*crowd, *session.Session)) func(*crowd, *session.Change) {
		return func(c *crowd, ch *session.Change) {
			for i := range ch.Insert {
				if ch.Insert[i].Type == session.Anonymous {
					change(c, &ch.Insert[i])
				}
			}
		}
	}
	leaks := map[string]func(*crowd, *session.Change){
		"a fine time": ofAnonymous(func(_ *crowd, s *session.Session) { s.CreatedAt = time.Now() }),
		"a hash of the user": ofAnonymous(func(c *crowd, s *session.Session) {
			sum := sha256.Sum256([]byte(c.acting.known.Session.Subject.ID))
			s.Subject.Account.Address = hex.EncodeToString(sum[:])
		}),
		"one order for all": func(_ *crowd, ch *session.Change) {
			for _, s := range ch.Insert {
				if s.Type == session.Anonymous {
					ch.Records = append(ch.Records, session.Record{Action: session.ActionCreate, At: s.CreatedAt, SessionID: s.ID})
				}
			}
		},
		"a size": func(c *crowd, ch *session.Change) {
			for i := range ch.Insert {
				ch.Insert[i].Subject.Account.Address += strings.Repeat("x", slices.Index(c.people, c.acting))
			}
		},
	}
	for name, leak := range leaks {
		t.Run(name, func(t *testing.T) {
			l := observe(t, 1, func(t *testing.T, rng *rand.Rand) *crowd { return newCrowd(t, rng, 100, false, leak) }, always)
			strategies, rate := l.best()
			if rate(strategies[0]) < 0.9 {
				t.Errorf("it finds %.0f %%, by: %s", 100*rate(strategies[0]), strategies[0])
			}
		})
	}
}

// With proofs, which are verified, the same is stored: no strategy finds all of
// twelve members. (One that knows nothing does so once in 479,001,600 tries.)
func TestALinkerGuessesWithProofsToo(t *testing.T) {
	l := observe(t, 1, func(t *testing.T, rng *rand.Rand) *crowd { return newCrowd(t, rng, 12, true, nil) }, always)
	strategies, rate := l.best()
	if rate(strategies[0]) == 1 {
		t.Errorf("all are found by: %s", strategies[0])
	}
}

func always(int) bool { return true }
