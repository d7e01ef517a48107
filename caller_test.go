package session_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
)

// A service's key follows sessions and does nothing else; no operator's key, not
// even root's, follows them. Keys and lists of the two kinds do not mix.
func TestAServicesKeyIsForServicesAlone(t *testing.T) {
	h := newHouse(t)
	chat, key, err := h.AddService(t.Context(), "chat", root)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(key, chat.ID+"_") || !strings.HasPrefix(chat.ID, "svc_") {
		t.Errorf("an id of another shape: %s", chat.ID)
	}
	ada, operators, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := h.Authorise(t.Context(), key, session.FollowSessions); err != nil || o.ID != chat.ID {
		t.Errorf("%+v, %v", o, err)
	}
	for right := session.SeePeople; right < session.FollowSessions; right++ {
		_, err := h.Authorise(t.Context(), key, right)
		wantCode(t, err, session.CodePermissionDenied)
	}
	for _, key := range []string{operators, h.Keys().RootKey()} {
		_, err := h.Authorise(t.Context(), key, session.FollowSessions)
		wantCode(t, err, session.CodePermissionDenied)
	}
	_, err = h.Authorise(t.Context(), "op_"+key[len("svc_"):], session.FollowSessions)
	wantCode(t, err, session.CodeCredentialInvalid)
	_, _, err = h.AddOperator(t.Context(), "Eve", session.RoleService, root)
	wantCode(t, err, session.CodeInvalidRequest)
	_, _, err = h.AddService(t.Context(), "", root)
	wantCode(t, err, session.CodeInvalidRequest)
	_, _, err = h.AddService(t.Context(), "x", session.Act{Operator: "op_a"})
	wantCode(t, err, session.CodeInvalidRequest)
	_, err = h.RevokeOperator(t.Context(), chat.ID, root)
	wantCode(t, err, session.CodeNotFound)
	_, err = h.RevokeService(t.Context(), ada.ID, root)
	wantCode(t, err, session.CodeNotFound)
	if list, err := h.Services(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].ID != chat.ID {
		t.Errorf("services are %+v, %v", list, err)
	}
	if list, err := h.Operators(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].ID != ada.ID {
		t.Errorf("operators are %+v, %v", list, err)
	}
}

// A key that is revoked here is refused at once, and by another node after a
// second.
func TestARevokedServiceIsRefused(t *testing.T) {
	h := newHouse(t)
	chat, key, err := h.AddService(t.Context(), "chat", root)
	if err != nil {
		t.Fatal(err)
	}
	other := *h
	other.open()
	may := func(h *house) error {
		_, err := h.Authorise(t.Context(), key, session.FollowSessions)
		return err
	}
	for _, node := range []*house{h, &other} {
		if err := may(node); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if o, err := h.RevokeService(t.Context(), chat.ID, root); err != nil || o.RevokedAt.IsZero() {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	wantCode(t, may(h), session.CodeCredentialInvalid)
	h.clock.Advance(time.Second)
	wantCode(t, may(&other), session.CodeCredentialInvalid)
}

// Services ask all the time: the store is asked about a key once a second.
func TestAServicesKeyIsLookedUpOnceASecond(t *testing.T) {
	h := newHouse(t)
	faulty := &sessiontest.FaultyStore{Store: h.store}
	h.config.Store = faulty
	h.open()
	_, key, err := h.AddService(t.Context(), "chat", root)
	if err != nil {
		t.Fatal(err)
	}
	may := func() error { _, err := h.Authorise(t.Context(), key, session.FollowSessions); return err }
	if err := may(); err != nil {
		t.Fatal(err)
	}
	faulty.Be(sessiontest.Fails)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if err := may(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	_, err = h.Authorise(t.Context(), key[:len(key)-2]+"AA", session.FollowSessions)
	wantCode(t, err, session.CodeCredentialInvalid)
	for _, by := range []time.Duration{time.Second, -time.Hour} { // a clock that is set back believes nothing for longer
		h.clock.Advance(by)
		wantCode(t, may(), session.CodeUnavailable)
	}
}
