package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/token"
)

// A request's refusal is the one that the session service gives: code, status and
// challenge; and the handler is not reached.
func TestTheMiddlewareRefusesLikeTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.openKind(token.Professional, "professional", "read:profile", "write:therapy_notes")
		gone, revoked := w.open("read:profile")
		w.revoke(gone)
		time.Sleep(20 * time.Minute)
		bearer := func(s string) http.Header { return http.Header{"Authorization": {"Bearer " + s}} }
		cookie := func(s string) http.Header { return http.Header{"Cookie": {"session=" + s}} }
		const invalid = `Bearer error="invalid_token"`
		for name, c := range map[string]struct {
			header     http.Header
			conditions []client.Condition
			status     int
			code       api.Code
			challenge  string
		}{
			"good":              {bearer(raw), nil, 200, "", ""},
			"another case":      {http.Header{"Authorization": {"bearer " + raw}}, nil, 200, "", ""},
			"nothing":           {nil, nil, 401, api.SessionInvalid, "Bearer"},
			"another scheme":    {http.Header{"Authorization": {"Basic " + raw}}, nil, 401, api.SessionInvalid, "Bearer"},
			"an empty one":      {http.Header{"Authorization": {"Bearer "}}, nil, 401, api.SessionInvalid, "Bearer"},
			"junk":              {bearer("junk"), nil, 401, api.SessionInvalid, invalid},
			"revoked":           {bearer(revoked), nil, 401, api.SessionInvalid, invalid},
			"twice":             {http.Header{"Authorization": {"Bearer " + raw, "Bearer " + raw}}, nil, 400, api.InvalidRequest, `Bearer error="invalid_request"`},
			"a permission":      {bearer(raw), []client.Condition{client.Require("read:profile")}, 200, "", ""},
			"one that lacks":    {bearer(raw), []client.Condition{client.Require("b", "read:profile", "a")}, 403, api.PermissionDenied, `Bearer error="insufficient_scope", scope="a b"`},
			"a sensitive one":   {bearer(raw), []client.Condition{client.Require("write:therapy_notes")}, 401, api.ReauthenticationRequired, `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="900"`},
			"too old":           {bearer(raw), []client.Condition{client.MaxAge(0)}, 401, api.ReauthenticationRequired, `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="0"`},
			"an unasked cookie": {cookie(raw), nil, 401, api.SessionInvalid, "Bearer"},
			"a cookie":          {cookie(raw), []client.Condition{client.Cookie("session")}, 200, "", ""},
			"an empty cookie":   {cookie(""), []client.Condition{client.Cookie("session")}, 401, api.SessionInvalid, "Bearer"},
			"cookies":           {http.Header{"Cookie": {"session=" + raw + "; session=" + raw}}, []client.Condition{client.Cookie("session")}, 400, api.InvalidRequest, `Bearer error="invalid_request"`},
			"cookie and field":  {http.Header{"Cookie": {"session=" + raw}, "Authorization": {"Bearer " + raw}}, []client.Condition{client.Cookie("session")}, 400, api.InvalidRequest, `Bearer error="invalid_request"`},
			"a foreign page":    {http.Header{"Cookie": {"session=" + raw}, "Sec-Fetch-Site": {"cross-site"}}, []client.Condition{client.Cookie("session")}, 403, api.OriginDenied, ""},
			"its own page":      {http.Header{"Cookie": {"session=" + raw}, "Sec-Fetch-Site": {"same-origin"}}, []client.Condition{client.Cookie("session")}, 200, "", ""},
		} {
			reached := false
			h := w.c.Middleware(c.conditions...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				s, ok := client.FromContext(r.Context())
				reached = ok && s.ID == id.String()
			}))
			r := httptest.NewRequest("POST", "/notes", nil)
			r.Header = c.header
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			var e api.Envelope[api.Empty]
			if c.status != 200 && (json.Unmarshal(rec.Body.Bytes(), &e) != nil || e.Success || e.Error == nil || e.Error.Code != c.code) {
				t.Errorf("%s: %s", name, rec.Body)
			}
			if rec.Code != c.status || rec.Header().Get("WWW-Authenticate") != c.challenge || reached != (c.status == 200) {
				t.Errorf("%s: %d %q, reached %v", name, rec.Code, rec.Header().Get("WWW-Authenticate"), reached)
			}
			if strings.Contains(rec.Body.String(), raw) {
				t.Errorf("%s: the answer repeats the token", name)
			}
		}
		if s, ok := client.FromContext(t.Context()); ok {
			t.Errorf("out of nowhere: %+v", s)
		}
	})
}

// A handler that decides by itself answers with the refusals that the package
// exports, and with its own.
func TestAHandlersOwnRefusals(t *testing.T) {
	for _, c := range []struct {
		err       error
		status    int
		challenge string
	}{
		{client.ErrExpired, 401, `Bearer error="invalid_token"`},
		{client.ErrInvalid, 401, `Bearer error="invalid_token"`},
		{client.ErrPermissionDenied, 403, `Bearer error="insufficient_scope"`},
		{client.ErrReauthentication, 401, `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required"`},
		{fmt.Errorf("notes: %w", client.ErrPermissionDenied), 403, `Bearer error="insufficient_scope"`},
		{&client.Error{Code: api.PermissionDenied, Details: &api.ErrorDetails{}}, 403, `Bearer error="insufficient_scope"`},
		{client.ErrUnavailable, 503, ""},
		{errors.New("of its own"), 503, ""},
		{nil, 503, ""},
	} {
		rec := httptest.NewRecorder()
		client.WriteError(rec, c.err)
		if rec.Code != c.status || rec.Header().Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%v: %d %q", c.err, rec.Code, rec.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestABlindMiddlewareAnswers503(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.open()
		w.wire.set(all(fault{cut: true}))
		time.Sleep(7 * time.Second)
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		rec := httptest.NewRecorder()
		w.c.Middleware()(http.NotFoundHandler()).ServeHTTP(rec, r)
		if rec.Code != 503 || rec.Header().Get("Retry-After") == "" || rec.Header().Get("WWW-Authenticate") != "" || !strings.Contains(rec.Body.String(), `"unavailable"`) {
			t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
		}
	})
}

// A person stands behind a request unless it says that none does.
func TestABackgroundRequestIsNoSignOfThePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.open()
		w.want(raw, nil, client.Background())
		h := w.c.Middleware()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, field := range []string{"background", ""} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+raw)
			r.Header.Set("Session-Activity", field)
			h.ServeHTTP(httptest.NewRecorder(), r)
			time.Sleep(5 * time.Second)
			if n := w.count(reportsPath); (n == 0) != (field == "background") {
				t.Errorf("%q: %d reports", field, n)
			}
		}
	})
}
