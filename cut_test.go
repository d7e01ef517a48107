package session_test

import (
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

func (h *house) alive(tokens session.Tokens) bool {
	h.t.Helper()
	_, err := h.Validate(h.t.Context(), tokens.SessionToken, anything, session.Glance)
	if err != nil && session.CodeOf(err) != session.CodeInvalid {
		h.t.Fatal(err)
	}
	return err == nil
}

// A cut ends what its rule names, from the moment it is answered, through a
// restart, and nothing that comes after it.
func TestACutEndsWhatItsRuleNames(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		rule                     func(h *house) session.Selection
		old, young, professional bool // what is to end
	}{
		"everything":    {func(*house) session.Selection { return session.Selection{} }, true, true, true},
		"a type":        {func(*house) session.Selection { return session.Selection{Type: session.Professional} }, false, false, true},
		"another type":  {func(*house) session.Selection { return session.Selection{Type: session.Anonymous} }, false, false, false},
		"before a time": {func(*house) session.Selection { return session.Selection{CreatedBefore: start.Add(time.Minute)} }, true, false, false},
		"before, of a type": {func(*house) session.Selection {
			return session.Selection{Type: session.Standard, CreatedBefore: start.Add(3 * time.Minute)}
		}, true, true, false},
		"of the key that signs": {func(h *house) session.Selection { return session.Selection{KeyID: h.Keys().List()[0].ID} }, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.register(start.Add(60 * day))
			old := h.signIn(session.CreateRequest{})
			h.clock.Advance(2 * time.Minute)
			young, professional := h.signIn(session.CreateRequest{}), h.professional()
			if err := h.EndMany(t.Context(), c.rule(h), operator); err != nil {
				t.Fatal(err)
			}
			later := h.signIn(session.CreateRequest{})
			check := func(when string) {
				t.Helper()
				for _, s := range []struct {
					name   string
					tokens session.Tokens
					ends   bool
				}{{"the old one", old, c.old}, {"the young one", young, c.young}, {"the professional's", professional, c.professional}, {"the later one", later, false}} {
					if h.alive(s.tokens) == s.ends {
						t.Errorf("%s, %s: ends %t", when, s.name, s.ends)
					}
					if s.ends {
						_, err := h.Refresh(t.Context(), s.tokens.RefreshToken, "")
						wantCode(t, err, session.CodeRefreshFailed)
					}
				}
			}
			check("at once")
			h.open()
			check("after a restart")
			if err := h.FollowCuts(t.Context()); err != nil {
				t.Fatal(err)
			}
			check("when the rows have followed")
			for _, s := range []session.Tokens{old, young, professional, later} {
				row, err := h.store.Session(t.Context(), s.Session.ID)
				if err != nil || row.Ended() == h.alive(s) || row.Ended() && row.EndReason != session.EndRevoked {
					t.Errorf("%+v, %v", row, err)
				}
			}
		})
	}
	h := newHouse(t)
	wantCode(t, h.EndMany(t.Context(), session.Selection{KeyID: "x"}, operator), session.CodeNotFound)
	wantCode(t, h.EndMany(t.Context(), session.Selection{Type: "x"}, operator), session.CodeInvalidRequest)
}

// A sign-in that races with a cut has ended, or knew of it.
func TestNothingOutrunsACut(t *testing.T) {
	for range 10 {
		h := newHouse(t)
		var wg sync.WaitGroup
		opened := make(chan session.Tokens, 8)
		for range 8 {
			credential := h.credential(session.Standard)
			wg.Go(func() {
				if out, err := h.Create(t.Context(), session.CreateRequest{Credential: credential}); err != nil {
					t.Error(err)
				} else {
					opened <- out
				}
			})
		}
		if err := h.EndMany(t.Context(), session.Selection{}, operator); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		close(opened)
		var late []session.Tokens
		for out := range opened {
			knew := out.Session.Cut == 1
			if h.alive(out) != knew {
				t.Errorf("alive, and knew of the cut: %t", knew)
			}
			if knew {
				late = append(late, out)
			}
		}
		if err := h.EndMany(t.Context(), session.Selection{}, operator); err != nil {
			t.Fatal(err)
		}
		for _, out := range late {
			if h.alive(out) {
				t.Error("a session outlived the second cut")
			}
		}
	}
}
