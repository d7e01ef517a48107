package session_test

import (
	"flag"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet/icp"
)

var long = flag.Bool("long", false, "run the long versions of the tests")

// Two holders of one refresh token, each using what it got and refreshing in
// turn, are found within four rounds, whoever comes first and even where they
// begin within the spans in which an honest tab would be forgiven. The session
// ends with its reason on record.
func TestEveryThiefIsFoundWithinFourRounds(t *testing.T) {
	runs := 200
	if *long {
		runs = 1700
	}
	h := newHouse(t)
	type theft struct {
		tokens [2]session.Secret // of the victim and the thief
		id     session.Tokens
		round  int // in which it was found
	}
	thefts := make([]*theft, runs)
	// Part of the runs each: in the grace, in the soft span, beyond both.
	for _, gaps := range [][2]time.Duration{{time.Minute, 5 * time.Second}, {time.Minute, time.Minute}, {time.Hour, 7 * time.Minute}} {
		for i := range thefts {
			var err error
			if h.person, err = icp.NewIdentity(); err != nil {
				t.Fatal(err)
			}
			s := h.signIn(session.CreateRequest{})
			thefts[i] = &theft{[2]session.Secret{s.RefreshToken, s.RefreshToken}, s, 0}
		}
		for round := 1; round <= 4; round++ {
			for turn := range 2 {
				gap := 6 * time.Minute
				if round == 1 {
					gap = gaps[turn]
				}
				h.clock.Advance(gap)
				var wg sync.WaitGroup
				slots := make(chan struct{}, 64)
				for i, th := range thefts {
					if th.round > 0 {
						continue
					}
					slots <- struct{}{}
					wg.Go(func() {
						defer func() { <-slots }()
						who := (turn + i) % 2
						next, err := h.Refresh(t.Context(), th.tokens[who], "")
						switch session.CodeOf(err) {
						case session.CodeRefreshFailed:
							th.round = round
							return
						case session.CodeRefreshSuperseded:
							return // it tries again in its next turn
						default:
							if err != nil {
								t.Error(err)
								return
							}
						}
						th.tokens[who] = next.RefreshToken
						if _, err := h.Validate(t.Context(), next.SessionToken, anything, session.Poll); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
			}
		}
		found := [5]int{}
		for i, th := range thefts {
			found[th.round]++
			if th.round == 0 {
				t.Errorf("theft %d was not found", i)
				continue
			}
			row, err := h.store.Session(t.Context(), th.id.Session.ID)
			if err != nil || row.EndReason != session.EndRefreshReuse {
				t.Errorf("theft %d: ended as %q, %v", i, row.EndReason, err)
			}
		}
		t.Logf("begun %v apart: %d thefts, found in rounds 1 to 4: %v", gaps[1], runs, found[1:])
	}
}

func newPerson(t *testing.T) *icp.Identity {
	t.Helper()
	id, err := icp.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
