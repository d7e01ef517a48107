package session_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
)

// stepped is a house that runs in a synctest bubble and whose clock can be set.
type stepped struct {
	*house
	off atomic.Int64 // how far its clock is ahead of the bubble's, in nanoseconds
}

// runStepped runs f over a running service whose clock starts at the time.
func runStepped(t *testing.T, at time.Time, f func(t *testing.T, h *stepped)) {
	synctest.Test(t, func(t *testing.T) {
		h := &stepped{house: newHouse(t)}
		h.off.Store(int64(time.Until(at)))
		h.config.Now = func() time.Time { return time.Now().Add(time.Duration(h.off.Load())).Round(0) }
		h.open()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }()
		f(t, h)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.store.Close()
	})
}

// step sets the clock on or back while nothing else runs, and lets the service
// find out.
func (h *stepped) step(d time.Duration) {
	synctest.Wait()
	h.off.Add(int64(d))
	h.wait(2 * time.Second)
}

func (h *stepped) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (h *stepped) validate(s session.Tokens) (session.Session, error) {
	return h.Validate(h.t.Context(), s.SessionToken, anything, session.Glance)
}

func (h *stepped) wantAlive(what string, s session.Tokens) {
	h.t.Helper()
	row, err := h.validate(s)
	if err != nil {
		h.t.Errorf("%s: %v", what, err)
		return
	}
	if left := h.Remaining(row); left < 0 || left > int64(row.TokenLife/time.Second) && row.ExpiresAt.Sub(h.config.Now()) < row.TokenLife {
		h.t.Errorf("%s: %d seconds remain", what, left)
	}
}

// wantEnded checks that no secret of the session opens anything.
func (h *stepped) wantEnded(what string, s session.Tokens, reason session.EndReason) {
	h.t.Helper()
	if row, err := h.store.Session(h.t.Context(), s.Session.ID); err != nil || row.EndReason != reason {
		h.t.Errorf("%s: stored as ended by %q, %v", what, row.EndReason, err)
	}
	if _, err := h.validate(s); session.CodeOf(err) != session.CodeExpired && session.CodeOf(err) != session.CodeInvalid {
		h.t.Errorf("%s: it is valid again: %v", what, err)
	}
	if _, err := h.Refresh(h.t.Context(), s.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
		h.t.Errorf("%s: it can be refreshed again: %v", what, err)
	}
}

// An end that was reached by a clock that was ahead is final: nobody can tell
// such a clock from one that was right. What reached none of its ends lives on,
// and nothing that ended comes back.
func TestAClockThatGoesAheadAndBack(t *testing.T) {
	runStepped(t, start, func(t *testing.T, h *stepped) {
		idle := h.signIn(session.CreateRequest{Reporting: true}) // ends after 35 minutes
		long := h.signIn(session.CreateRequest{})                // lives at least 12 hours
		out := h.signIn(session.CreateRequest{})
		if err := h.Logout(t.Context(), out.SessionToken, out.RefreshToken, ""); err != nil {
			t.Fatal(err)
		}
		h.step(time.Hour)
		h.wantEnded("idle, ahead", idle, session.EndIdle)
		h.wantAlive("long, ahead", long)
		h.step(-time.Hour)
		for range 5 { // also while the hour passes a second time, past every tombstone
			h.wantEnded("idle, back", idle, session.EndIdle)
			h.wantEnded("logged out, back", out, session.EndLogout)
			h.wantAlive("long, back", long)
			h.wait(15 * time.Minute)
		}
		h.open() // and from the store alone
		h.wantEnded("idle, after a restart", idle, session.EndIdle)
		h.step(-24 * time.Hour)
		h.wantEnded("idle, a day back", idle, session.EndIdle)
		h.wantEnded("logged out, a day back", out, session.EndLogout)
	})
}

// Tokens that were issued by a clock that was ahead are not of now when it is
// set right. They say so, and do what a token past its time does: the refresh
// token opens the session again, and any of them ends it.
func TestTokensOfAClockThatWasAhead(t *testing.T) {
	runStepped(t, start, func(t *testing.T, h *stepped) {
		before := h.signIn(session.CreateRequest{})
		h.step(time.Hour)
		refreshed, err := h.Refresh(t.Context(), before.RefreshToken, "")
		if err != nil {
			t.Fatal(err)
		}
		made, toEnd := h.signIn(session.CreateRequest{}), h.signIn(session.CreateRequest{})
		h.step(-time.Hour)
		h.wantAlive("the token from before", before)
		for what, s := range map[string]session.Tokens{"refreshed": refreshed, "made": made} {
			_, err := h.validate(s)
			if e := new(session.Error); session.CodeOf(err) != session.CodeExpired || !errors.As(err, &e) || e.Reason != session.ReasonTokenExpired {
				t.Errorf("%s while ahead: %v", what, err)
			}
			next, err := h.Refresh(t.Context(), s.RefreshToken, "")
			if err != nil {
				t.Fatalf("%s while ahead cannot be refreshed: %v", what, err)
			}
			h.wantAlive(what, next)
			if again, err := h.Refresh(t.Context(), s.RefreshToken, ""); err != nil || again.RefreshToken != next.RefreshToken {
				t.Errorf("%s: a repeat: %v", what, err)
			}
		}
		if err := h.Logout(t.Context(), toEnd.SessionToken, session.Secret{}, ""); err != nil {
			t.Fatal(err)
		}
		h.wantEnded("logged out by a token of the future", toEnd, session.EndLogout)
	})
}

// A credential opens one session, wherever the clock goes meanwhile.
func TestNoCredentialIsUsedTwiceAcrossAStep(t *testing.T) {
	runStepped(t, start, func(t *testing.T, h *stepped) {
		p, err := h.Challenge(t.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: h.person.Principal()}})
		if err != nil {
			t.Fatal(err)
		}
		credential, err := h.person.Credential(p.Message)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Create(t.Context(), session.CreateRequest{Credential: credential}); err != nil {
			t.Fatal(err)
		}
		h.step(time.Hour)
		h.wait(2 * time.Minute) // so that the sweeper has been there
		h.step(-time.Hour)
		if _, err := h.Create(t.Context(), session.CreateRequest{Credential: credential}); session.CodeOf(err) != session.CodeChallengeInvalid {
			t.Errorf("it opened a second session: %v", err)
		}
	})
}

// An authentication of the future is not fresh.
func TestFreshnessAcrossAStep(t *testing.T) {
	runStepped(t, start, func(t *testing.T, h *stepped) {
		h.step(time.Hour)
		s := h.signIn(session.CreateRequest{})
		h.step(-time.Hour)
		next, err := h.Refresh(t.Context(), s.RefreshToken, "")
		if err != nil {
			t.Fatal(err)
		}
		h.wait(20 * time.Minute) // a quarter of an hour after the person was there
		_, err = h.Validate(t.Context(), next.SessionToken, session.Requirement{MaxAge: session.FreshAuthentication}, session.Glance)
		if session.CodeOf(err) != session.CodeReauthentication {
			t.Errorf("an old authentication passes as fresh: %v", err)
		}
	})
}

// A clock that stands still ends nothing and breaks nothing.
func TestAClockThatStandsStill(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Reporting: true})
	for i := range 300 {
		next, err := h.Refresh(t.Context(), s.RefreshToken, "")
		if err != nil {
			t.Fatalf("refresh %d: %v", i, err)
		}
		again, err := h.Refresh(t.Context(), s.RefreshToken, "")
		if err != nil || again.RefreshToken != next.RefreshToken {
			t.Fatalf("repeat %d: %v", i, err)
		}
		if _, err := h.Validate(t.Context(), next.SessionToken, anything, session.Personal); err != nil {
			t.Fatalf("validate %d: %v", i, err)
		}
		s = next
	}
}

// Each end is reached at its second and not a millisecond before, also where
// seconds or years get another number of digits.
func TestEndsAtTheirSecond(t *testing.T) {
	for name, at := range map[string]time.Time{
		"an ordinary day":     start,
		"over a new year":     time.Date(2026, 12, 31, 23, 59, 40, 0, time.UTC),
		"over a leap day":     time.Date(2028, 2, 28, 23, 59, 40, 0, time.UTC),
		"over 2^31 seconds":   time.Unix(1<<31-20, 0),
		"in the next hundred": time.Date(2099, 12, 31, 23, 59, 40, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.clock.Advance(at.Sub(h.clock.Now()))
			h.open()
			to := func(at time.Time) { h.clock.Advance(at.Sub(h.clock.Now())) }
			check := func(s session.Tokens, code session.Code, remaining int64) {
				t.Helper()
				row, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance)
				if code == "" && (err != nil || h.Remaining(row) != remaining) || code != "" && session.CodeOf(err) != code {
					t.Errorf("at %v: %v, %d s remain", h.clock.Now(), err, h.Remaining(row))
				}
			}
			s := h.signIn(session.CreateRequest{Reporting: true, Duration: time.Minute})
			to(s.Session.ExpiresAt.Add(-time.Second))
			check(s, "", 1)
			to(s.Session.ExpiresAt.Add(-time.Millisecond))
			check(s, "", 0)
			to(s.Session.ExpiresAt)
			check(s, session.CodeExpired, 0)
			next, err := h.Refresh(t.Context(), s.RefreshToken, "")
			if err != nil {
				t.Fatal(err)
			}
			check(next, "", 60)

			idle := next.Session.IdleEnd()
			to(idle.Add(-time.Millisecond))
			if next, err = h.Refresh(t.Context(), next.RefreshToken, ""); err != nil {
				t.Fatalf("a millisecond before the idle end: %v", err)
			}
			to(idle)
			if _, err := h.Refresh(t.Context(), next.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
				t.Errorf("at the idle end: %v", err)
			}
			h.clock.Advance(-time.Hour)
			check(next, session.CodeExpired, 0)

			l := h.signIn(session.CreateRequest{})
			last := l.Session.AbsoluteEnd
			to(l.Session.ExpiresAt)
			if l, err = h.Refresh(t.Context(), l.RefreshToken, ""); err != nil {
				t.Fatal(err)
			}
			to(last.Add(-time.Millisecond))
			check(l, "", 0)
			if l, err = h.Refresh(t.Context(), l.RefreshToken, ""); err != nil || l.ExpiresIn < 0 {
				t.Fatalf("a millisecond before the absolute end: %v, %v", err, l.ExpiresIn)
			}
			to(last)
			check(l, session.CodeExpired, 0)
			h.clock.Advance(-time.Hour)
			check(l, session.CodeExpired, 0)
			if _, err := h.Refresh(t.Context(), l.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
				t.Errorf("an hour back: %v", err)
			}
		})
	}
}

// A repeat that comes when the lost answer's own token is over gets the same
// pair: its refresh token goes on, its session token says that its time is over.
func TestARepeatAfterTheTokensTime(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Duration: time.Minute})
	lost, err := h.Refresh(t.Context(), s.RefreshToken, "")
	if err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(10 * time.Minute)
	again, err := h.Refresh(t.Context(), s.RefreshToken, "")
	if err != nil {
		t.Fatal(err)
	}
	if again.RefreshToken != lost.RefreshToken || again.ExpiresIn != 0 || again.RefreshAt.After(h.clock.Now()) {
		t.Errorf("%v, expires in %v, refresh at %v", again.RefreshToken == lost.RefreshToken, again.ExpiresIn, again.RefreshAt)
	}
	if _, err := h.Validate(t.Context(), again.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("its session token: %v", err)
	}
	next, err := h.Refresh(t.Context(), again.RefreshToken, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Validate(t.Context(), next.SessionToken, anything, session.Glance); err != nil {
		t.Errorf("the next pair: %v", err)
	}
}
