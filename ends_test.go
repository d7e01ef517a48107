package session_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// LIF-02: to the second, with no client and no timer to help.
func TestTheIdleEndIsExact(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Reporting: true})
	end := s.Session.IdleEnd()
	h.clock.Advance(end.Add(-time.Second).Sub(h.clock.Now()))
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	h.clock.Advance(2 * time.Second)
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("a second after the end: %v", err)
	}
	if row, err := h.store.Session(t.Context(), s.Session.ID); err != nil || row.EndReason != session.EndIdle {
		t.Errorf("ended as %q, %v", row.EndReason, err)
	}

	s = h.signIn(session.CreateRequest{}) // of a client that cannot tell: 35 minutes after its token's end
	h.clock.Advance(s.Session.ExpiresAt.Add(35*time.Minute - time.Second).Sub(h.clock.Now()))
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("the token's time is over: %v", err)
	}
	if row, _ := h.store.Session(t.Context(), s.Session.ID); row.Ended() {
		t.Error("it ended a second early")
	}
	h.clock.Advance(2 * time.Second)
	if _, err := h.Refresh(t.Context(), s.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
		t.Errorf("a second late: %v", err)
	}
}

// LIF-03: a client that reports, and whose person has left, refreshes, polls
// and glances every minute. That keeps nothing alive.
func TestARobotIdlesOut(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Reporting: true, Duration: 10 * time.Minute})
	for minute := 1; minute < 35; minute++ {
		h.clock.Advance(time.Minute)
		next, err := h.Refresh(t.Context(), s.RefreshToken, "")
		if err != nil {
			t.Fatalf("minute %d: %v", minute, err)
		}
		s = next
		for _, presence := range []session.Presence{session.Glance, session.Poll} {
			if _, err := h.Validate(t.Context(), s.SessionToken, anything, presence); err != nil {
				t.Fatalf("minute %d: %v", minute, err)
			}
		}
		if _, _, err := h.List(t.Context(), s.SessionToken); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Advance(time.Minute)
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("35 minutes after the person left: %v", err)
	}
	if _, err := h.Refresh(t.Context(), s.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
		t.Errorf("refresh: %v", err)
	}
}

// REV-08: sequences of acts of which one ends the session. None after it, with
// any token, at any time, brings it back.
func TestEndedIsFinalInEverySequence(t *testing.T) {
	sequences := 500
	if *long {
		sequences = 100_000
	}
	h := newHouse(t)
	rng := rand.New(rand.NewPCG(8, 8))
	reasons := map[session.EndReason]int{}
	for n := range sequences {
		if n%8 == 0 {
			h.person = newPerson(t)
		}
		issued := []session.Tokens{h.signIn(session.CreateRequest{Reporting: n%2 == 0})}
		id := issued[0].Session.ID
		var dead session.Session
		for range 12 {
			p := issued[rng.IntN(len(issued))]
			var out session.Tokens
			var err error
			act := rng.IntN(7)
			switch act {
			case 0:
				h.clock.Advance(time.Duration(rng.Int64N(int64(15 * time.Minute))))
				continue
			case 1, 2:
				out, err = h.Refresh(t.Context(), p.RefreshToken, "")
			case 3:
				_, err = h.Touch(t.Context(), p.SessionToken)
			case 4:
				out, err = h.Amend(t.Context(), p.SessionToken, session.AmendRequest{Permissions: []string{"read:profile"}})
			case 5:
				_, err = h.Validate(t.Context(), p.SessionToken, anything, session.Personal)
			case 6:
				if rng.IntN(3) == 0 {
					if err := h.Logout(t.Context(), p.SessionToken, p.RefreshToken, ""); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err == nil && !out.SessionToken.IsZero() {
				issued = append(issued, out)
			}
			row, e := h.store.Session(t.Context(), id)
			if e != nil {
				t.Fatal(e)
			}
			if dead.Ended() && (err == nil && act != 6 || !row.EndedAt.Equal(dead.EndedAt) || row.EndReason != dead.EndReason || row.Version != dead.Version) {
				t.Fatalf("sequence %d: act %d on an ended session: %v, %+v", n, act, err, row)
			}
			if row.Ended() {
				dead = row
			}
		}
		reasons[dead.EndReason]++
	}
	t.Logf("ended by %v", reasons)
	if reasons[session.EndLogout] == 0 || reasons[session.EndRefreshReuse] == 0 || reasons[session.EndIdle] == 0 {
		t.Error("some ends were not met")
	}
}

// REF-07: whatever a session was narrowed to, refreshes keep or narrow it.
func TestARefreshWidensNothing(t *testing.T) {
	h := newHouse(t)
	rng := rand.New(rand.NewPCG(7, 7))
	policy := session.DefaultPolicies()[session.Standard]
	for range 200 {
		h.person = newPerson(t)
		asked := slices.Clone(policy.Permissions)
		rng.Shuffle(len(asked), func(i, j int) { asked[i], asked[j] = asked[j], asked[i] })
		life := time.Duration(1+rng.IntN(720)) * time.Minute
		s := h.signIn(session.CreateRequest{Permissions: asked[:rng.IntN(5)], Duration: life, Reporting: rng.IntN(2) == 0})
		for range 5 {
			h.clock.Advance(time.Duration(rng.IntN(30)) * time.Minute)
			next, err := h.Refresh(t.Context(), s.RefreshToken, "")
			if err != nil {
				break // it idled out
			}
			was, is := s.Session, next.Session
			switch {
			case was.Permissions.Lacking(is.Permissions...) != nil, is.Type != was.Type, is.Subject != was.Subject, is.Channel != was.Channel,
				!is.AbsoluteEnd.Equal(was.AbsoluteEnd), !is.AuthTime.Equal(was.AuthTime), is.TokenLife > was.TokenLife, is.IdleLife > was.IdleLife,
				is.ExpiresAt.Sub(h.clock.Now()) > life, is.MinGen != was.MinGen, is.Reporting != was.Reporting, is.ID != was.ID:
				t.Fatalf("a refresh made of\n%+v\n%+v", was, is)
			}
			s = next
		}
	}
}

// REF-09: refreshes of sessions made together come at 72 to 88 per cent of
// their tokens' lives, evenly spread.
func TestRefreshesAreSpread(t *testing.T) {
	h := newHouse(t)
	const n = 1000
	s := h.signIn(session.CreateRequest{Duration: 10 * time.Hour})
	var buckets [8]int
	for range n {
		next, err := h.Refresh(t.Context(), s.RefreshToken, "")
		if err != nil {
			t.Fatal(err)
		}
		share := float64(next.RefreshAt.Sub(h.clock.Now())) / float64(next.ExpiresIn)
		if share < 0.72-0.001 || share > 0.88 {
			t.Fatalf("at %.3f of the token's life", share)
		}
		buckets[min(7, max(0, int((share-0.72)/0.02)))]++
		s = next
	}
	for i, count := range buckets {
		if count < n/8/2 || count > n/8*2 {
			t.Errorf("%d of %d in part %d of 8: %v", count, n, i, buckets)
		}
	}
}
