package session_test

import (
	"testing"

	session "github.com/mentalverse/session"
)

// catchUp has the node follow all that has happened.
func (h *house) catchUp() {
	h.t.Helper()
	for _, anonymous := range []bool{false, true} {
		list, err := h.Events(h.t.Context(), anonymous, 0, 10_000)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := h.Follow(h.t.Context(), list); err != nil {
			h.t.Fatal(err)
		}
	}
}

// Two nodes over one store: what one commits, the other answers by as soon as it
// has followed the log.
func TestANodeThatFollowsAnswersAsTheLogSays(t *testing.T) {
	for name, act := range map[string]func(h *house, tokens session.Tokens) error{
		"an end": func(h *house, tokens session.Tokens) error {
			return h.End(t.Context(), tokens.SessionToken, tokens.Session.ID, "")
		},
		"a cut": func(h *house, _ session.Tokens) error {
			return h.EndMany(t.Context(), session.Selection{}, operator)
		},
		"narrowed permissions": func(h *house, tokens session.Tokens) error {
			_, err := h.Amend(t.Context(), tokens.SessionToken, session.AmendRequest{Permissions: []string{"read:profile"}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			one := newHouse(t)
			tokens, spared := one.signIn(session.CreateRequest{}), one.signIn(session.CreateRequest{})
			two := *one
			two.open()
			if !two.alive(tokens) {
				t.Fatal("the other node does not know the session")
			}
			if err := act(one, tokens); err != nil {
				t.Fatal(err)
			}
			two.catchUp()
			two.catchUp()
			if _, err := two.Validate(t.Context(), tokens.SessionToken, anything, session.Glance); err == nil {
				t.Error("the other node still takes the token")
			}
			if name != "a cut" && !two.alive(spared) {
				t.Error("another session came to harm")
			}
		})
	}
}

// Whoever follows is woken by what ends trust, and by nothing else: the rest
// would tell when people come.
func TestWhoFollowsIsWokenByWhatEndsTrust(t *testing.T) {
	woken := 0
	h := newHouse(t)
	h.config.Changed = func() { woken++ }
	h.open()
	expect := func(what string, n int) {
		t.Helper()
		if woken != n {
			t.Errorf("%s: woken %d times, not %d", what, woken, n)
		}
		woken = 0
	}
	tokens := h.signIn(session.CreateRequest{})
	expect("a sign-in", 0)
	next, err := h.Refresh(t.Context(), tokens.RefreshToken, "")
	if err != nil {
		t.Fatal(err)
	}
	expect("a refresh", 0)
	if _, err := h.Amend(t.Context(), next.SessionToken, session.AmendRequest{Permissions: []string{"read:profile"}}); err != nil {
		t.Fatal(err)
	}
	expect("fewer permissions", 1)
	if err := h.EndMany(t.Context(), session.Selection{Type: session.Professional}, operator); err != nil {
		t.Fatal(err)
	}
	expect("a cut", 1)
	again := h.signIn(session.CreateRequest{})
	if err := h.End(t.Context(), again.SessionToken, again.Session.ID, ""); err != nil {
		t.Fatal(err)
	}
	expect("an end", 1)
}
