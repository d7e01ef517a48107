package session_test

import (
	"context"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// Who is erased is gone: what they had opened has ended, and whoever comes with
// the account again is somebody new.
func TestAnErasedUserIsNobody(t *testing.T) {
	h := newHouse(t)
	p := h.register(start.Add(60 * 24 * time.Hour))
	standard, professional := h.signIn(session.CreateRequest{}), h.professional()
	user := standard.Session.Subject.ID
	if err := h.EraseUser(t.Context(), user, operator); err != nil {
		t.Fatal(err)
	}
	for _, tokens := range []session.Tokens{standard, professional} {
		_, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Personal)
		wantCode(t, err, session.CodeInvalid)
		_, err = h.Refresh(t.Context(), tokens.RefreshToken, "")
		wantCode(t, err, session.CodeRefreshFailed)
	}
	wantCode(t, h.EraseUser(t.Context(), user, operator), session.CodeNotFound)
	if p, err := h.Professional(t.Context(), p.ID); err != nil || len(p.Accounts) != 0 || len(p.Licences) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	_, err := h.tryProfessional()
	wantCode(t, err, session.CodePermissionDenied)
	if again := h.signIn(session.CreateRequest{}); again.Session.Subject.ID == user {
		t.Error("the account remembers whose it was")
	}
	h.open()
	_, err = h.Validate(t.Context(), standard.SessionToken, anything, session.Personal)
	wantCode(t, err, session.CodeInvalid)
}

// A sign-in that races with the erasure is the old user's and ends with it, or
// is a new one's.
func TestNoSignInOutrunsAnErasure(t *testing.T) {
	for range 10 {
		h := newHouse(t)
		user := h.signIn(session.CreateRequest{}).Session.Subject.ID
		var wg sync.WaitGroup
		opened := make(chan session.Tokens, 4)
		for range 4 {
			credential := h.credential(session.Standard)
			wg.Go(func() {
				if out, err := h.Create(t.Context(), session.CreateRequest{Credential: credential}); err != nil {
					t.Error(err)
				} else {
					opened <- out
				}
			})
		}
		wg.Go(func() {
			if err := h.EraseUser(t.Context(), user, operator); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		close(opened)
		for out := range opened {
			_, err := h.Validate(t.Context(), out.SessionToken, anything, session.Glance)
			if old := out.Session.Subject.ID == user; old != (err != nil) {
				t.Errorf("of the old user %t, and %v", old, err)
			}
		}
	}
}

// interrupted does something else between two steps of whoever uses the store.
type interrupted struct {
	session.Store
	afterUserOf func()
}

func (s *interrupted) UserOf(ctx context.Context, a session.Account) (string, error) {
	id, err := s.Store.UserOf(ctx, a)
	if f := s.afterUserOf; f != nil {
		s.afterUserOf = nil
		f()
	}
	return id, err
}

// A sign-in that has already found its user, when the user is erased, opens no
// session of theirs.
func TestAUserWhoIsErasedMeanwhileSignsInAsNobody(t *testing.T) {
	h := newHouse(t)
	user := h.signIn(session.CreateRequest{}).Session.Subject.ID
	store := &interrupted{Store: h.store}
	h.config.Store = store
	h.open()
	store.afterUserOf = func() {
		if err := h.EraseUser(t.Context(), user, operator); err != nil {
			t.Error(err)
		}
	}
	again := h.signIn(session.CreateRequest{})
	if again.Session.Subject.ID == user || !h.alive(again) {
		t.Errorf("signed in as %s, who is erased", again.Session.Subject.ID)
	}
}

// Who is blocked is out at once and stays out, by every account's sign-in under
// way too, until they are let in again.
func TestABlockedUserStaysOut(t *testing.T) {
	h := newHouse(t)
	tokens := h.signIn(session.CreateRequest{})
	user := tokens.Session.Subject.ID
	wantCode(t, h.Block(t.Context(), "user_nobody", operator), session.CodeNotFound)
	wantCode(t, h.Block(t.Context(), user, session.Act{Operator: "op_x"}), session.CodeInvalidRequest)
	if err := h.Block(t.Context(), user, operator); err != nil {
		t.Fatal(err)
	}
	try := func() (session.Tokens, error) {
		t.Helper()
		credential := h.credential(session.Standard)
		return h.Create(t.Context(), session.CreateRequest{Credential: credential})
	}
	for range 2 {
		if h.alive(tokens) {
			t.Error("the session outlived the block")
		}
		_, err := h.Refresh(t.Context(), tokens.RefreshToken, "")
		wantCode(t, err, session.CodeRefreshFailed)
		_, err = try()
		wantCode(t, err, session.CodePermissionDenied)
		h.open() // and a restart knows it
	}
	if err := h.Unblock(t.Context(), user, operator); err != nil {
		t.Fatal(err)
	}
	again, err := try()
	if err != nil || again.Session.Subject.ID != user || h.alive(tokens) {
		t.Errorf("%+v, %v", again.Session.Subject, err)
	}

	store := &interrupted{Store: h.store}
	h.config.Store = store
	h.open()
	store.afterUserOf = func() {
		if err := h.Block(t.Context(), user, operator); err != nil {
			t.Error(err)
		}
	}
	if late, err := try(); err == nil && h.alive(late) {
		t.Error("a sign-in outran the block")
	}
}
