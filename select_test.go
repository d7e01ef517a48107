package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
	"github.com/mentalverse/session/wallet/icp"
)

// pages lists a selection in pages of a size.
func (h *house) pages(sel session.Selection, size int) (ids []token.ID) {
	h.t.Helper()
	for after := (token.ID{}); ; {
		list, err := h.Sessions(h.t.Context(), sel, after, size)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, row := range list {
			if row.ID.Compare(after) <= 0 {
				h.t.Fatal("a page goes back")
			}
			after, ids = row.ID, append(ids, row.ID)
		}
		if len(list) < size {
			return ids
		}
	}
}

// What lists sessions and what ends them name the same ones, page by page or at
// once, of one user or of all.
func TestAListShowsWhatAnEndWouldEnd(t *testing.T) {
	minute := time.Minute
	for name, sel := range map[string]func(h *house, user string) session.Selection{
		"everything": func(*house, string) session.Selection { return session.Selection{} },
		"a user":     func(_ *house, user string) session.Selection { return session.Selection{SubjectID: user} },
		"a type":     func(*house, string) session.Selection { return session.Selection{Type: session.Professional} },
		"a user's of a type": func(_ *house, user string) session.Selection {
			return session.Selection{SubjectID: user, Type: session.Standard}
		},
		"from a time": func(*house, string) session.Selection { return session.Selection{CreatedFrom: start.Add(2 * minute)} },
		"a span": func(*house, string) session.Selection {
			return session.Selection{CreatedFrom: start.Add(minute), CreatedBefore: start.Add(2 * minute)}
		},
		"a span within a second": func(*house, string) session.Selection {
			return session.Selection{CreatedFrom: start.Add(minute + 900*time.Millisecond), CreatedBefore: start.Add(minute + time.Second)}
		},
		"before a part of a second": func(*house, string) session.Selection {
			return session.Selection{CreatedFrom: start.Add(minute), CreatedBefore: start.Add(minute + time.Nanosecond)}
		},
		"a user's in a span": func(_ *house, user string) session.Selection {
			return session.Selection{SubjectID: user, CreatedFrom: start.Add(minute), CreatedBefore: start.Add(3 * minute)}
		},
		"a key":        func(h *house, _ string) session.Selection { return session.Selection{KeyID: h.Keys().List()[0].ID} },
		"nothing then": func(*house, string) session.Selection { return session.Selection{CreatedFrom: start.Add(time.Hour)} },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.register(start.Add(60 * 24 * time.Hour))
			var all []session.Tokens
			for range 4 {
				all = append(all, h.signIn(session.CreateRequest{}), h.professional())
				h.clock.Advance(minute)
			}
			user, person := all[0].Session.Subject.ID, h.person
			stranger, err := icp.NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			h.person = stranger
			all = append(all, h.signIn(session.CreateRequest{}))
			h.person = person
			if err := h.Logout(t.Context(), all[3].SessionToken, session.Secret{}, ""); err != nil {
				t.Fatal(err)
			}
			want := sel(h, user)
			listed := h.pages(want, 2)
			if whole := h.pages(want, 100); !slices.Equal(listed, whole) {
				t.Errorf("in pages %v, at once %v", listed, whole)
			}
			var alive []session.Tokens
			for _, s := range all {
				if h.alive(s) {
					alive = append(alive, s)
				}
			}
			if err := h.EndMany(t.Context(), want, operator); err != nil {
				t.Fatal(err)
			}
			for _, s := range alive {
				if ended := !h.alive(s); ended != slices.Contains(listed, s.Session.ID) {
					t.Errorf("%s: listed %t, ended %t", s.Session.ID, !ended, ended)
				}
			}
			if left := h.pages(want, 3); len(left) != 0 {
				t.Errorf("%v are listed after their end", left)
			}
		})
	}
}

// What cannot be selected is refused, in words, and nothing of a pseudonym is shown.
func TestASelectionIsOfWhatThereIs(t *testing.T) {
	h := newHouse(t)
	user := h.signIn(session.CreateRequest{}).Session.Subject.ID
	for _, c := range []struct {
		sel  session.Selection
		want session.Code
	}{
		{session.Selection{Type: "x"}, session.CodeInvalidRequest},
		{session.Selection{SubjectID: user, Type: "x"}, session.CodeInvalidRequest},
		{session.Selection{KeyID: "x"}, session.CodeNotFound},
		{session.Selection{SubjectID: user, KeyID: "x"}, session.CodeNotFound},
	} {
		_, err := h.Sessions(t.Context(), c.sel, token.ID{}, 9)
		wantCode(t, err, c.want)
		wantCode(t, h.EndMany(t.Context(), c.sel, operator), c.want)
	}
	_, err := h.Sessions(t.Context(), session.Selection{SubjectID: "anon_x"}, token.ID{}, 9)
	wantCode(t, err, session.CodeInvalidRequest)
	if err := h.EndMany(t.Context(), session.Selection{SubjectID: "anon_" + strings.Repeat("a", 32)}, operator); err != nil {
		t.Errorf("a pseudonym's can be ended: %v", err)
	}
}

// What is nobody's id is not acted on, and comes into no trail: neither what a
// slip of the hand makes of one, nor what would break a line of it.
func TestWhatIsNobodysIDIsNotActedOn(t *testing.T) {
	h := newHouse(t)
	before := h.records()
	for _, id := range []string{
		"user_nobody", "user_" + strings.Repeat("a", 26), "anon_x", "anon_" + strings.Repeat("a", 31), "anon_" + strings.Repeat("a", 33), "anon_" + strings.Repeat("A", 32),
		"anon_" + strings.Repeat("a", 31) + "\n", "anon_" + strings.Repeat("a", 31) + "1", token.NewID(token.Anonymous, start).String(), "\n2026-11-25 session.end", "a\x00b", strings.Repeat("x", 10_000), "*", "%", "lic_x", "op_root",
	} {
		_, err := h.EndSessionsOf(t.Context(), id, operator)
		wantCode(t, err, session.CodeNotFound)
		wantCode(t, h.EndMany(t.Context(), session.Selection{SubjectID: id}, operator), session.CodeNotFound)
		wantCode(t, h.EraseUser(t.Context(), id, operator), session.CodeNotFound)
		if !strings.HasPrefix(id, "anon_") { // which this house does not serve
			wantCode(t, h.Block(t.Context(), id, operator), session.CodeNotFound)
			wantCode(t, h.Unblock(t.Context(), id, operator), session.CodeNotFound)
		}
	}
	if err := h.EndMany(t.Context(), session.Selection{}, session.Act{Operator: "op_a", Reason: "a\nb c"}); session.CodeOf(err) != session.CodeInvalidRequest {
		t.Error(err)
	}
	h.clock.Advance(time.Hour)
	if list, err := h.AnonymousRecords(t.Context(), [20]byte{}, 9); err != nil || len(list) != 0 || h.records() != before {
		t.Errorf("%+v, %v; %d records more", list, err, h.records()-before)
	}
}

// Anonymous sessions are in no list. They are counted, and no two counts are
// closer together than five minutes.
func TestAnonymousSessionsAreCountedCoarsely(t *testing.T) {
	h := newHouse(t)
	insert := func() session.Session {
		row := session.Session{
			ID: token.NewID(token.Anonymous, h.clock.Now()), Type: session.Anonymous, Subject: session.Subject{ID: "anon_" + strings.Repeat("x", 32)}, Channel: session.Header,
			CreatedAt: h.clock.Now().Truncate(5 * time.Minute), ExpiresAt: start.Add(4 * time.Hour), AbsoluteEnd: start.Add(12 * time.Hour), TokenLife: 4 * time.Hour, IdleLife: 35 * time.Minute,
			LastActivity: h.clock.Now().Truncate(5 * time.Minute), Generation: 1, MinGen: 1, SteppedAt: h.clock.Now().Truncate(5 * time.Minute),
		}
		if err := h.store.Apply(t.Context(), session.Change{Insert: []session.Session{row}})[0]; err != nil {
			t.Fatal(err)
		}
		return row
	}
	row := insert()
	insert()
	h.open()
	for _, c := range []struct {
		act  func() error
		then time.Duration
		want int
	}{
		{func() error { return nil }, 0, 2},
		{func() error { return h.EndSession(t.Context(), row.ID, operator) }, 0, 2},
		{func() error { return nil }, 5*time.Minute - time.Second, 2},
		{func() error { return nil }, time.Second, 1},
		{func() error { return h.EndMany(t.Context(), session.Selection{}, operator) }, 4 * time.Minute, 1},
		{func() error { return nil }, time.Minute, 0},
	} {
		for _, sel := range []session.Selection{{}, {Type: session.Anonymous}} {
			if got := h.pages(sel, 9); len(got) != 0 {
				t.Errorf("listed %v", got)
			}
		}
		if err := c.act(); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(c.then)
		if n := h.AnonymousCount(); n != c.want {
			t.Errorf("counted %d, want %d", n, c.want)
		}
	}
}

// An anonymous session is dated to the five minutes in which it was made: a span
// that begins within them takes it.
func TestASpanTakesAnonymousSessionsOfItsFiveMinutes(t *testing.T) {
	c := session.Cut{CreatedFrom: start.Add(3 * time.Minute)}
	for _, s := range []struct {
		of   session.Type
		made time.Time
		want bool
	}{
		{session.Anonymous, start, true}, {session.Anonymous, start.Add(-5 * time.Minute), false},
		{session.Standard, start.Add(2 * time.Minute), false}, {session.Standard, start.Add(3 * time.Minute), true},
	} {
		if got := session.Names(&c, &session.Session{Type: s.of, CreatedAt: s.made}); got != s.want {
			t.Errorf("%s of %s: %t", s.of, s.made, got)
		}
	}
}
