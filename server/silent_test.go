package server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/sessiontest"
)

// While the store is silent the feed says how old its knowledge is, and then
// nothing; when the store is back, nothing was lost.
func TestTheFeedOfASilentStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFaultyWorld(t)
		defer func() { w.stop() }()
		key := w.serviceKey()
		feed := func(after string, wait string) answer {
			return w.call("GET", "/service/v1/feed?wait="+wait+positionQuery(after), key, "")
		}
		first := data[api.Feed](t, feed("", "0"))
		s := w.signIn()
		if f := data[api.Feed](t, feed(first.Position, "1")); len(f.Events) != 0 || f.Gap || f.HeldMS < 900 || f.HeldMS > 1000 || f.AgeMS != 0 {
			t.Errorf("told %+v", f)
		}
		w.store.Be(sessiontest.Fails)
		time.Sleep(900 * time.Millisecond) // the key is known a second long
		if f := data[api.Feed](t, feed(first.Position, "0")); f.AgeMS < 800 || f.HeldMS != 0 {
			t.Errorf("told %+v", f)
		}
		time.Sleep(10 * time.Second)
		for _, wait := range []string{"0", "5"} {
			w.wantUnavailable("the feed", feed(first.Position, wait))
		}
		w.wantUnavailable("validate", w.call("POST", "/service/v1/validate", key, `{"token":"`+s.SessionToken+`"}`))
		w.wantUnavailable("a report", w.call("POST", "/service/v1/reports", key, `{"seen":[{"session_id":"`+s.SessionID+`","generation":1}]}`))
		w.store.Be(sessiontest.NoFault)
		time.Sleep(2 * time.Second)
		if a := w.call("POST", "/api/auth/sessions/logout", s.SessionToken, ""); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		if f := data[api.Feed](t, feed(first.Position, "5")); len(f.Events) != 1 || f.Gap || f.Events[0].SessionID != s.SessionID {
			t.Errorf("told %+v", f)
		}
	})
}

// Keys that are rotated are told to services before a token is signed with the
// new one.
func TestRotatedKeysAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFaultyWorld(t)
		defer func() { w.stop() }()
		key := w.serviceKey()
		position := data[api.Feed](t, w.call("GET", "/service/v1/feed", key, "")).Position
		now := w.service.Now()
		if err := w.service.Keys().Rotate(t.Context(), w.store, now.Add(time.Hour), now); err != nil {
			t.Fatal(err)
		}
		f := data[api.Feed](t, w.call("GET", "/service/v1/feed?wait=20&after="+position, key, ""))
		if len(f.Events) != 1 || f.Events[0] != (api.FeedEvent{Event: "keys.changed"}) {
			t.Errorf("told %+v", f)
		}
		if n := len(w.service.Keys().List()); n != 2 {
			t.Errorf("%d keys are published", n)
		}
	})
}
