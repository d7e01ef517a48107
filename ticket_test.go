package session_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/token"
)

func (h *house) ticket(of session.Tokens) session.Ticket {
	h.t.Helper()
	text, err := h.Ticket(h.t.Context(), of.SessionToken)
	if err != nil {
		h.t.Fatal(err)
	}
	read, err := h.ReadTicket(text.Reveal())
	if err != nil {
		h.t.Fatal(err)
	}
	return read
}

func (h *house) refusedTicket(what string, k session.Ticket, want session.Code) {
	h.t.Helper()
	if row, err := h.Redeem(h.t.Context(), k); session.CodeOf(err) != want || row.ID != (token.ID{}) {
		h.t.Errorf("%s: %v, want %s", what, err, want)
	}
}

// WSS-02: of eight simultaneous uses of a ticket one succeeds, and it stays
// used after a restart.
func TestATicketIsUsedOnce(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{})
	k := h.ticket(s)
	var opened atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			row, err := h.Redeem(t.Context(), k)
			switch {
			case err == nil && row.ID == s.Session.ID:
				opened.Add(1)
			case session.CodeOf(err) != session.CodeCredentialInvalid:
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if opened.Load() != 1 {
		t.Fatalf("%d uses succeeded", opened.Load())
	}
	h.open()
	h.refusedTicket("after a restart", k, session.CodeCredentialInvalid)
	if _, err := h.Redeem(t.Context(), h.ticket(s)); err != nil {
		t.Errorf("the next ticket: %v", err)
	}
}

// A ticket dies with its session, and with the token that it was issued for.
func TestATicketDiesWithItsToken(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{})
	k := h.ticket(s)
	if _, err := h.Refresh(t.Context(), s.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Redeem(t.Context(), k); err != nil {
		t.Errorf("after a refresh: %v", err)
	}
	k = h.ticket(s)
	next, err := h.Amend(t.Context(), s.SessionToken, session.AmendRequest{Permissions: []string{"read:profile"}})
	if err != nil {
		t.Fatal(err)
	}
	h.refusedTicket("after a change of permissions", k, session.CodeCredentialInvalid)
	if _, err := h.Ticket(t.Context(), s.SessionToken); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("a dead token gets a ticket: %v", err)
	}

	k = h.ticket(next)
	if err := h.Logout(t.Context(), next.SessionToken, session.Secret{}, ""); err != nil {
		t.Fatal(err)
	}
	h.refusedTicket("after logout", k, session.CodeInvalid)

	s = h.signIn(session.CreateRequest{Duration: time.Minute})
	h.clock.Advance(s.Session.IdleEnd().Sub(h.clock.Now()) - 10*time.Second)
	if _, err := h.Ticket(t.Context(), s.SessionToken); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("a token whose time is over gets a ticket: %v", err)
	}
	s = h.signIn(session.CreateRequest{})
	h.clock.Advance(s.Session.AbsoluteEnd.Sub(h.clock.Now()) - 12*time.Hour)
	if s, err = h.Refresh(t.Context(), s.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(12*time.Hour - 10*time.Second)
	k = h.ticket(s)
	h.clock.Advance(15 * time.Second)
	h.refusedTicket("after the session's end", k, session.CodeExpired)
}

// LIF-03: asking for tickets, using them and looking is no sign of the person.
func TestASocketKeepsNobodyAlive(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Reporting: true})
	idle := s.Session.IdleEnd()
	for range 34 {
		h.clock.Advance(time.Minute)
		if _, err := h.Redeem(t.Context(), h.ticket(s)); err != nil {
			t.Fatal(err)
		}
		row, err := h.Look(t.Context(), s.Session.ID)
		if err != nil || !row.IdleEnd().Equal(idle) {
			t.Fatalf("idle end %v, was %v: %v", row.IdleEnd(), idle, err)
		}
	}
	h.clock.Advance(time.Minute)
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeExpired {
		t.Errorf("it lives on: %v", err)
	}
	if row, err := h.Look(t.Context(), s.Session.ID); err != nil || row.EndReason != session.EndIdle {
		t.Errorf("%q, %v", row.EndReason, err)
	}
	if _, err := h.Look(t.Context(), token.NewID(token.Standard, start)); session.CodeOf(err) != session.CodeNotFound {
		t.Errorf("a session that never was: %v", err)
	}
}

// A store that cannot answer opens nothing, and says that it does not know.
func TestATicketOfAnUnknownStore(t *testing.T) {
	h := newHouse(t)
	faulty := &sessiontest.FaultyStore{Store: h.store}
	h.config.Store = faulty
	h.open()
	s := h.signIn(session.CreateRequest{})
	k := h.ticket(s)
	faulty.Be(sessiontest.Fails)
	h.refusedTicket("while the store fails", k, session.CodeUnavailable)
	faulty.Be(sessiontest.NoFault)
	if _, err := h.Redeem(t.Context(), k); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
