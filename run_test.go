package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
)

// Ends are committed by a timer; they do not wait for a request.
func TestEndsAreCommittedWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.config.Now = time.Now // the bubble's
		h.open()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }()
		s := h.signIn(session.CreateRequest{Reporting: true})
		end := s.Session.IdleEnd()

		time.Sleep(20 * time.Minute)
		if _, err := h.Touch(t.Context(), s.SessionToken); err != nil {
			t.Fatal(err)
		}
		moved := 20 * time.Minute
		time.Sleep(time.Until(end) + 6*time.Second)
		if row, _ := h.store.Session(t.Context(), s.Session.ID); row.Ended() {
			t.Fatal("it ended although its person had been there")
		}
		time.Sleep(time.Until(end.Add(moved)) + 5*time.Second)
		synctest.Wait()
		row, err := h.store.Session(t.Context(), s.Session.ID)
		if err != nil || row.EndReason != session.EndIdle {
			t.Errorf("%q, %v", row.EndReason, err)
		}
		events, _ := h.store.Events(t.Context(), false, 0, 10)
		if last := events[len(events)-1]; last.Kind != session.EventEnded || last.At.Sub(end.Add(moved)) > 5*time.Second {
			t.Errorf("%+v", last)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if m, _ := h.store.Meta(t.Context()); m.Running {
			t.Error("a clean end left the mark of an unclean one")
		}
		h.store.Close()
	})
}

// A generation that was seen in use is in the store within a second, activity
// within a minute.
func TestSightingsAreWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.config.Now = time.Now
		h.open()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }()
		s := h.signIn(session.CreateRequest{Reporting: true})
		if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if row, _ := h.store.Session(t.Context(), s.Session.ID); row.UsedGen != 1 {
			t.Errorf("used generation %d after a second", row.UsedGen)
		}
		if _, err := h.Touch(t.Context(), s.SessionToken); err != nil {
			t.Fatal(err)
		}
		touched := time.Now()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if row, _ := h.store.Session(t.Context(), s.Session.ID); !row.LastActivity.Before(touched) {
			t.Error("activity was written at once: that is a write for every click")
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if row, _ := h.store.Session(t.Context(), s.Session.ID); row.LastActivity.Before(touched.Truncate(time.Millisecond)) {
			t.Error("activity was not written within a minute")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.store.Close()
	})
}

// After an unclean end up to a minute of activity may be lost, so each session
// is given that minute.
func TestAnUncleanEndAddsAMinute(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Reporting: true})
	h.clock.Advance(34 * time.Minute)
	h.open() // without a clean end
	h.clock.Advance(time.Minute + 30*time.Second)
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); err != nil {
		t.Errorf("half a minute past the stored end: %v", err)
	}
	h.clock.Advance(30 * time.Second)
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("a minute past it: %v", err)
	}
}
