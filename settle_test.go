package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
)

// A person logs out and closes the page at once: that was said, and is done.
func TestALogoutOfAPageThatIsGoneIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		gone, leave := context.WithCancel(t.Context())
		leave()
		for range 20 {
			s := h.signIn(session.CreateRequest{})
			h.Logout(gone, s.SessionToken, session.Secret{}, "")
			synctest.Wait()
			if row, err := h.store.Session(t.Context(), s.Session.ID); err != nil || !row.Ended() {
				t.Fatalf("it lives: %+v, %v", row, err)
			}
		}
		h.store.Close()
	})
}

// A person logs out and closes the page before the answer. Whatever was asked
// in between, the session ends in memory too, once the store has ended it.
func TestALogoutThatNobodyWaitsForStillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		slow := &sessiontest.FaultyStore{Store: h.store}
		h.config.Store = slow
		h.open()
		s := h.signIn(session.CreateRequest{})
		slow.Be(sessiontest.Late)
		page, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if err := h.Logout(page, s.SessionToken, session.Secret{}, ""); session.CodeOf(err) != session.CodeUnavailable {
			t.Errorf("nobody knows yet: %v", err)
		}
		if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); err != nil {
			t.Errorf("it has not ended yet: %v", err)
		}
		slow.Be(sessiontest.NoFault)
		synctest.Wait()
		row, err := h.store.Session(t.Context(), s.Session.ID)
		if err != nil || !row.Ended() {
			t.Fatalf("the store has not ended it: %+v, %v", row, err)
		}
		if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeInvalid {
			t.Errorf("ended in the store, in memory: %v", err)
		}
		h.store.Close()
	})
}
