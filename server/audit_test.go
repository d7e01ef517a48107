package server_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/store/sqlite"
)

// reauthenticate proves anew that the session's person is here.
func (w *world) reauthenticate(token string) api.Tokens {
	w.t.Helper()
	c := data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", token, api.ChallengeRequest{Purpose: "reauthenticate"}))
	credential, err := w.person.Credential(c.Message)
	if err != nil {
		w.t.Fatal(err)
	}
	return data[api.Tokens](w.t, w.call("POST", "/api/auth/sessions/reauthenticate", token, api.ReauthenticateRequest{Credential: credential}))
}

// AUD-01: every kind of act, once, and what of it is on record and told to
// others. Session a is the first one made, b the second, and so on.
func TestTheWholeStoryIsOnRecord(t *testing.T) {
	const sessions = "/api/auth/sessions"
	w := newWorld(t, func(c *server.Config) { c.Policies.Standard.MaxLive = 2 })
	names := map[string]string{}
	signIn := func(activity string) api.Tokens {
		s := w.signIn(api.CreateRequest{Activity: activity})
		names[s.SessionID] = string(rune('a' + len(names)))
		return s
	}
	a := signIn("")
	a = data[api.Tokens](t, w.refresh(a.RefreshToken))
	a = data[api.Tokens](t, w.call("PATCH", sessions+"/current", a.SessionToken, `{"permissions":["read:profile"],"device_label":"Firefox"}`))
	a = w.reauthenticate(a.SessionToken)
	w.want(w.validate(a.SessionToken), 200, "") // a use is no act
	b := signIn("")
	c := signIn("") // takes the place of a
	w.want(w.call("DELETE", sessions+"/"+b.SessionID, c.SessionToken, nil), 200, "")
	w.want(w.call("POST", sessions+"/logout", c.SessionToken, nil), 200, "")
	w.want(w.call("POST", sessions+"/logout", c.SessionToken, nil), 200, "") // repeated: nothing more
	signIn("")
	e := signIn("")
	w.want(w.call("DELETE", sessions+"?include=current", e.SessionToken, nil), 200, "")

	f := signIn("")
	next := data[api.Tokens](t, w.refresh(f.RefreshToken))
	w.want(w.validate(next.SessionToken), 200, "")
	w.clock.Advance(5 * time.Minute)
	w.want(w.refresh(f.RefreshToken), 401, api.RefreshFailed) // theft
	g := signIn("reported")
	w.clock.Advance(time.Hour)
	w.want(w.validate(g.SessionToken), 401, api.SessionExpired)
	w.want(w.validate(g.SessionToken), 401, api.SessionExpired) // ended once
	h := signIn("")
	for range 2 {
		w.clock.Advance(11 * time.Hour)
		h = data[api.Tokens](t, w.refresh(h.RefreshToken))
	}
	w.clock.Advance(2 * time.Hour)
	w.want(w.validate(h.SessionToken), 401, api.SessionExpired)
	for _, refused := range []answer{w.validate("forged"), w.refresh("rt_forged"), w.call("POST", sessions, "forged", nil)} {
		if refused.Status != 401 {
			t.Errorf("%d %s", refused.Status, refused.Body)
		}
	}
	w.stop()
	epoch := uint32(1)
	w.serve(func(c *server.Config) { c.RestoreEpoch = &epoch })
	w.stop()

	store, err := sqlite.OpenReadOnly(t.Context(), filepath.Join(w.data, "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	records, err := store.Records(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	byTimer := map[string]bool{"idle_timeout": true, "session_ended": true}
	for _, r := range records {
		got = append(got, strings.TrimSpace(strings.TrimSpace(names[r.SessionID.String()]+" "+string(r.Action))+" "+r.Detail))
		asked := strings.HasPrefix(r.RequestID, "req_")
		if r.At.IsZero() || r.At.Location() != time.UTC || r.Action != "restore.epoch" && (r.SubjectID == "" || asked == byTimer[r.Detail]) {
			t.Errorf("%+v", r)
		}
	}
	same(t, "records", got, `
		a session.create
		a session.refresh
		a session.permissions
		a session.label
		a session.reauthenticate
		b session.create
		a session.end limit
		c session.create
		b session.end revoked
		c session.end logout
		d session.create
		e session.create
		d session.end revoked
		e session.end logout
		f session.create
		f session.refresh
		f session.end refresh_reuse
		g session.create
		g session.end idle_timeout
		h session.create
		h session.refresh
		h session.refresh
		h session.end session_ended
		restore.epoch 1`)

	events, err := store.Events(t.Context(), false, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, e := range events {
		got = append(got, strings.TrimSpace(names[e.SessionID.String()]+" "+string(e.Kind)+" "+string(e.Reason)))
	}
	same(t, "events", got, `
		a session.created
		a session.updated
		a session.updated
		b session.created
		a session.ended limit
		c session.created
		b session.ended revoked
		c session.ended logout
		d session.created
		e session.created
		d session.ended revoked
		e session.ended logout
		f session.created
		f session.ended refresh_reuse
		g session.created
		g session.ended idle_timeout
		h session.created
		h session.ended session_ended`)
}

// same compares a list with a golden one, a line each.
func same(t *testing.T, what string, got []string, golden string) {
	t.Helper()
	want := strings.Split(strings.ReplaceAll(strings.TrimSpace(golden), "\t", ""), "\n")
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
