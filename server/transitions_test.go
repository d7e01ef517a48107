package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
)

// row reads the session's row beside the running server.
func (w *world) row(id string) (generation, minGen uint32) {
	w.t.Helper()
	store, err := sqlite.OpenReadOnly(context.Background(), filepath.Join(w.data, "sessions.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer store.Close()
	parsed, err := token.ParseID(id)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := store.Session(context.Background(), parsed)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Generation, s.MinGen
}

// TOK-08: what each transition does to the secrets of before. A plain refresh
// keeps the last session token for requests under way (and the last refresh
// token for its lost answer); everything else kills all at once.
func TestEveryTransitionReplacesTheSecrets(t *testing.T) {
	const current = "/api/auth/sessions/current"
	for name, c := range map[string]struct {
		act           func(*world, api.Tokens) api.Tokens
		oldSession    api.Code // of the session token before
		oldRefresh    api.Code
		elderSession  api.Code // of the one before that
		generation    uint32
		newPermission string
	}{
		"a plain refresh": {
			func(w *world, s api.Tokens) api.Tokens { return data[api.Tokens](t, w.refresh(s.RefreshToken)) },
			"", "", api.SessionExpired, 3, "",
		},
		"a fresh authentication": {
			func(w *world, s api.Tokens) api.Tokens { return w.reauthenticate(s.SessionToken) },
			api.SessionExpired, api.RefreshSuperseded, api.SessionExpired, 3, "",
		},
		"fewer permissions": {
			func(w *world, s api.Tokens) api.Tokens {
				return data[api.Tokens](t, w.call("PATCH", current, s.SessionToken, `{"permissions":[]}`))
			},
			api.SessionExpired, api.RefreshSuperseded, api.SessionExpired, 3, "",
		},
		"more permissions": {
			func(w *world, s api.Tokens) api.Tokens {
				return data[api.Tokens](t, w.call("PATCH", current, s.SessionToken, `{"permissions":["read:profile","join:groups"]}`))
			},
			api.SessionExpired, api.RefreshSuperseded, api.SessionExpired, 3, "join:groups",
		},
		"a new sign-in": { // a session of its own: the other one is not its business
			func(w *world, s api.Tokens) api.Tokens { return w.signIn(api.CreateRequest{}) },
			"", "", "", 1, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			elder := w.signIn(api.CreateRequest{Permissions: []string{"read:profile"}})
			old := data[api.Tokens](t, w.refresh(elder.RefreshToken))
			next := c.act(w, old)
			if next.SessionToken == old.SessionToken || next.RefreshToken == old.RefreshToken {
				t.Error("a secret is as before")
			}
			for what, code := range map[string][2]api.Code{
				"the session token before":   {w.validate(old.SessionToken).code(), c.oldSession},
				"the one before that":        {w.validate(elder.SessionToken).code(), c.elderSession},
				"the new one":                {w.validate(next.SessionToken).code(), ""},
				"the new one's permission":   {w.call("GET", "/api/auth/sessions/validate?permission="+c.newPermission, next.SessionToken, nil).code(), permissionOr(c.newPermission)},
				"the refresh token before":   {w.refresh(old.RefreshToken).code(), c.oldRefresh},
				"and after its refresh, too": {w.validate(next.SessionToken).code(), ""},
			} {
				if code[0] != code[1] {
					t.Errorf("%s: %q, want %q", what, code[0], code[1])
				}
			}
			generation, minGen := w.row(next.SessionID)
			elevated := c.oldSession != ""
			if generation != c.generation || elevated && minGen != generation || !elevated && minGen != 1 {
				t.Errorf("generation %d, the least that lives %d", generation, minGen)
			}
		})
	}
}

// permissionOr is what asking for a permission comes to: none has an empty name.
func permissionOr(name string) api.Code {
	if name == "" {
		return api.PermissionDenied
	}
	return ""
}

// REF-03: a superseded token at each age of its successor, used or not; and
// the one before it, which is never redeemed.
func TestAReplayAtEachAge(t *testing.T) {
	for _, c := range []struct {
		after        time.Duration
		used         bool
		last, before api.Code
		ends         bool // the session, after the later of the two
	}{
		{0, true, "", api.RefreshSuperseded, false},
		{10 * time.Second, true, "", api.RefreshSuperseded, false},
		{11 * time.Second, true, api.RefreshSuperseded, api.RefreshSuperseded, false},
		{11 * time.Second, false, "", api.RefreshSuperseded, false},
		{120 * time.Second, true, api.RefreshSuperseded, api.RefreshSuperseded, false},
		{121 * time.Second, true, api.RefreshFailed, api.RefreshFailed, true},
		{121 * time.Second, false, "", api.RefreshFailed, true}, // the elder one is theft even so
		{11 * time.Hour, true, api.RefreshFailed, api.RefreshFailed, true},
	} {
		w := newWorld(t)
		first := w.signIn(api.CreateRequest{})
		second := data[api.Tokens](t, w.refresh(first.RefreshToken))
		w.want(w.validate(second.SessionToken), 200, "")
		third := data[api.Tokens](t, w.refresh(second.RefreshToken))
		if c.used {
			w.want(w.validate(third.SessionToken), 200, "")
		}
		w.clock.Advance(c.after)
		last := w.refresh(second.RefreshToken)
		before := w.refresh(first.RefreshToken)
		if last.code() != c.last || before.code() != c.before {
			t.Errorf("%s on, used %v: %q and %q, want %q and %q", c.after, c.used, last.code(), before.code(), c.last, c.before)
		}
		if last.Status == 200 && data[api.Tokens](t, last).RefreshToken != third.RefreshToken {
			t.Errorf("%s on: another successor", c.after)
		}
		if last.code() == api.RefreshSuperseded && (strings.Contains(string(last.Body), "rt_") || strings.Contains(string(last.Body), "eyJ")) {
			t.Errorf("%s on: a refusal with a secret", c.after)
		}
		if ended := w.validate(third.SessionToken).Status != 200; ended != c.ends {
			t.Errorf("%s on, used %v: ended %v", c.after, c.used, ended)
		}
		w.stop()
	}
}

// LIF-07: a check that asks for a fresh authentication, by the age it asks for
// and the age it finds; then the step up, and the same check again.
func TestFreshAuthenticationIsAskedFor(t *testing.T) {
	const validate = "/api/auth/sessions/validate"
	for _, c := range []struct {
		age  time.Duration
		ask  string
		want api.Code
	}{
		{0, "?max_age=0", ""}, {time.Second, "?max_age=0", api.ReauthenticationRequired},
		{900 * time.Second, "?max_age=900", ""}, {901 * time.Second, "?max_age=900", api.ReauthenticationRequired},
		{11 * time.Hour, "", ""}, {11 * time.Hour, "?max_age=900", api.ReauthenticationRequired},
		{11 * time.Hour, "?max_age=900&permission=read:profile", api.ReauthenticationRequired},
		{11 * time.Hour, "?max_age=900&permission=read:all_profiles", api.PermissionDenied},
	} {
		w := newWorld(t)
		s := w.signIn(api.CreateRequest{})
		w.clock.Advance(c.age)
		if c.age > time.Hour { // no refresh makes an authentication younger
			s = data[api.Tokens](t, w.refresh(s.RefreshToken))
		}
		a := w.call("GET", validate+c.ask, s.SessionToken, nil)
		if a.code() != c.want {
			t.Errorf("%s old, %q: %d %s", c.age, c.ask, a.Status, a.Body)
		}
		if c.want != api.ReauthenticationRequired {
			w.stop()
			continue
		}
		_, asked, _ := strings.Cut(c.ask, "max_age=")
		asked, _, _ = strings.Cut(asked, "&")
		told := a.Header.Get("WWW-Authenticate")
		if a.Status != 401 || !strings.Contains(told, `error="insufficient_user_authentication"`) || !strings.Contains(told, `max_age="`+asked+`"`) {
			t.Errorf("%s old, %q: %d, %q", c.age, c.ask, a.Status, told)
		}
		next := w.reauthenticate(s.SessionToken)
		w.want(w.call("GET", validate+c.ask, next.SessionToken, nil), 200, "")
		w.want(w.validate(s.SessionToken), 401, api.SessionExpired)
		w.stop()
	}
	// Permissions come back only with a fresh authentication; they go without.
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	w.clock.Advance(16 * time.Minute)
	s = data[api.Tokens](t, w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":[]}`))
	w.want(w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":["read:profile"]}`), 401, api.ReauthenticationRequired)
	s = w.reauthenticate(s.SessionToken)
	w.want(w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":["read:profile"]}`), 200, "")
}

// REV-01: any genuine token ends the session, however old; what is unknown or
// ended already gets the same answer.
func TestLogoutTakesWhatIsLeft(t *testing.T) {
	const logout = "/api/auth/sessions/logout"
	w := newWorld(t)
	minute := int64(60)
	var same []byte
	for name, end := range map[string]func(s, next api.Tokens) answer{
		"the session token":        func(_, next api.Tokens) answer { return w.call("POST", logout, next.SessionToken, nil) },
		"an expired session token": func(s, _ api.Tokens) answer { return w.call("POST", logout, s.SessionToken, nil) },
		"only the refresh token": func(_, next api.Tokens) answer {
			return w.call("POST", logout, "", api.LogoutRequest{RefreshToken: next.RefreshToken})
		},
		"a superseded refresh token": func(s, _ api.Tokens) answer {
			return w.call("POST", logout, "", api.LogoutRequest{RefreshToken: s.RefreshToken})
		},
		"a forged and a genuine one": func(_, next api.Tokens) answer {
			return w.call("POST", logout, "forged", api.LogoutRequest{RefreshToken: next.RefreshToken})
		},
	} {
		s := w.signIn(api.CreateRequest{Duration: &minute})
		w.clock.Advance(2 * time.Minute)
		next := data[api.Tokens](t, w.refresh(s.RefreshToken))
		w.want(w.validate(next.SessionToken), 200, "")
		for range 3 {
			a := end(s, next)
			if a.Status != 200 {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
			if same == nil {
				same = a.Body
			}
			if string(a.Body) != string(same) {
				t.Errorf("%s: %s", name, a.Body)
			}
			w.want(w.validate(next.SessionToken), 401, api.SessionInvalid)
			w.want(w.refresh(next.RefreshToken), 401, api.RefreshFailed)
		}
	}
	for _, unknown := range []answer{w.call("POST", logout, "forged", nil), w.call("POST", logout, "", api.LogoutRequest{RefreshToken: "rt_forged"})} {
		if unknown.Status != 200 || string(unknown.Body) != string(same) {
			t.Errorf("unknown: %d %s", unknown.Status, unknown.Body)
		}
	}
}

// TOK-06: what a stranger chose stays a stranger's: an id or a secret in any
// place of a sign-in, a header for a request id, a cookie.
func TestWhatIsPlantedIsNeverAdopted(t *testing.T) {
	const sessions = "/api/auth/sessions"
	w := newWorld(t)
	theirs := w.signIn(api.CreateRequest{}) // of an attacker who hopes that the victim will use it
	planted := []string{"planted", theirs.SessionToken, theirs.SessionID, strings.Repeat("A", 43)}
	w.person = w.newPerson()
	for _, value := range planted {
		j := newJar(w)
		j.cookies["__Host-s"], j.cookies["__Host-r"] = value, value
		mine := j.signIn()
		for name, got := range j.cookies {
			if got == value {
				t.Errorf("%s was adopted", name)
			}
		}
		if mine.SessionID == theirs.SessionID {
			t.Error("the planted session was joined")
		}
		req, err := http.NewRequest("POST", w.url+sessions, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+w.credential(w.person))
		for _, name := range []string{"Request-Id", "X-Request-Id", "Session-Id", "X-Session-Id", "Session-CSRF"} {
			req.Header.Set(name, value)
		}
		a := w.do(req)
		w.want(a, 201, "")
		if strings.Contains(string(a.Body), value) || a.Header.Get("Request-Id") == value {
			t.Errorf("%q came back: %s", value, a.Body)
		}
		for _, field := range []string{"session_id", "session_token", "refresh_token", "user_id", "csrf_token"} {
			body, _ := json.Marshal(map[string]string{field: value})
			w.want(w.call("POST", sessions, w.credential(w.person), string(body)), 400, api.InvalidRequest)
		}
		if value != theirs.SessionToken {
			w.want(w.validate(value), 401, api.SessionInvalid)
		}
	}
	if n := len(data[api.SessionList](t, w.call("GET", sessions, theirs.SessionToken, nil)).Sessions); n != 1 {
		t.Errorf("the attacker has %d sessions", n)
	}
}

// AUZ-06: a signature, a text, a key, or a whole credential in a session
// token's place opens nothing.
func TestABareSignatureOpensNothing(t *testing.T) {
	w := newWorld(t)
	credential := w.credential(w.person)
	fields := openCredential(t, credential)
	shown := []string{credential, w.person.Principal()}
	for _, value := range fields {
		if text, ok := value.(string); ok && !strings.ContainsAny(text, " \n") {
			shown = append(shown, text)
		}
	}
	if len(shown) < 5 {
		t.Fatalf("%v", fields)
	}
	for _, value := range shown {
		w.want(w.validate(value), 401, api.SessionInvalid)
		w.want(w.call("GET", "/api/auth/sessions", value, nil), 401, api.SessionInvalid)
		w.want(w.refresh(value), 401, api.RefreshFailed)
		if value != credential {
			w.want(w.call("POST", "/api/auth/sessions", value, nil), 401, api.CredentialInvalid)
		}
	}
	for name := range fields { // each part alone is missed
		broken := openCredential(t, credential)
		delete(broken, name)
		text := sealCredential(t, broken)
		a := w.call("POST", "/api/auth/sessions", text, nil)
		if name == "delegations" && a.Status == 201 {
			continue
		}
		if a.Status != 401 {
			t.Errorf("without %s: %d %s", name, a.Status, a.Body)
		}
	}
	w.want(w.call("POST", "/api/auth/sessions", credential, nil), 201, "")
}
