package session

import (
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

// What an anonymous session stores tells no time finer than five minutes, but
// for the moment of a step while the refresh rule needs it.
func TestAnAnonymousSessionsTimesAreCoarse(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 3, 7, 9_000_000, time.UTC)
	coarse := func(what string, at time.Time) {
		t.Helper()
		if !at.Equal(at.Truncate(token.AnonymousBucket)) {
			t.Errorf("%s: %v", what, at)
		}
	}
	s := Session{
		Type: Anonymous, CreatedAt: Anonymous.coarse(now), LastActivity: Anonymous.coarse(now), SteppedAt: Anonymous.coarse(now),
		TokenLife: 4 * time.Hour, IdleLife: 35 * time.Minute, AbsoluteEnd: Anonymous.coarse(now).Add(12 * time.Hour), Reporting: true, Generation: 1,
	}
	s.ExpiresAt = s.tokenEnd(now)
	coarse("the token's end", s.ExpiresAt)
	coarse("the idle end", s.IdleEnd())
	coarse("the end", s.end(EndLogout, now).EndedAt)

	next := s.step(now)
	coarse("the next token's end", next.ExpiresAt)
	if !next.SteppedAt.Equal(now) {
		t.Error("the refresh rule would not know the moment of the step")
	}
	if at := next.blurAt(); at.Before(now.Add(refreshSoft)) || at.After(now.Add(refreshSoft+2*time.Second)) {
		t.Errorf("to be forgotten at %v", at)
	}
	if early := next.blurred(now.Add(refreshSoft)); !early.SteppedAt.Equal(now) {
		t.Error("forgotten while the rule needs it")
	}
	late := next.blurred(now.Add(refreshSoft + time.Second))
	coarse("the step", late.SteppedAt)
	if !late.blurAt().IsZero() {
		t.Error("there is something to forget yet")
	}
	// The rule decides alike, whether the moment is known or not.
	for g := uint32(0); g < 4; g++ {
		at := now.Add(refreshSoft + time.Second)
		if next.judgeRefresh(g, at) != late.judgeRefresh(g, at) {
			t.Errorf("generation %d is judged otherwise", g)
		}
	}

	// Nobody idles out sooner for it: the last sign of the person may have come
	// at the end of its five minutes.
	if idle := s.IdleEnd().Sub(now); idle < s.IdleLife {
		t.Errorf("idles out after %v", idle)
	}
	standard := Session{Type: Standard, SteppedAt: now}
	if !standard.blurAt().IsZero() || !Standard.coarse(now).Equal(now) {
		t.Error("a standard session forgets")
	}
}

// The moment of a step leaves the row by itself.
func TestTheLiveTableAsksForTheBlur(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 3, 7, 0, time.UTC)
	l := newLive(0, now)
	created := Anonymous.coarse(now)
	s := Session{
		ID: token.NewID(token.Anonymous, created), Type: Anonymous, Subject: Subject{ID: "anon_x"}, Channel: Header, Reporting: true,
		CreatedAt: created, LastActivity: created, SteppedAt: now, TokenLife: 4 * time.Hour, IdleLife: 35 * time.Minute,
		ExpiresAt: created.Add(4 * time.Hour), AbsoluteEnd: created.Add(12 * time.Hour), Generation: 2, Version: 1,
	}
	l.keepWritten(&s, now)
	if got := l.woken(now.Add(refreshSoft)); len(got) != 0 {
		t.Error("looked at too soon")
	}
	at := now.Add(refreshSoft + 3*time.Second)
	if got := l.woken(at); len(got) != 1 || !l.unwritten(s.ID, at) {
		t.Errorf("%v", got)
	}
	s = s.blurred(at)
	s.Version++
	l.keepWritten(&s, at)
	if l.unwritten(s.ID, at) || len(l.woken(at.Add(10*time.Minute))) != 0 {
		t.Error("looked at again")
	}
}
