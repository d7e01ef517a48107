package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/httpapi"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

// faultyWorld is a world without a network, over a store that can be told to
// fail, in a bubble of its own time.
type faultyWorld struct {
	*world
	handler http.Handler
	service *session.Service
	store   *sessiontest.FaultyStore
}

func newFaultyWorld(t *testing.T) *faultyWorld {
	t.Helper()
	inner, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "s.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &faultyWorld{world: &world{t: t}, store: &sessiontest.FaultyStore{Store: inner}}
	service, err := session.NewService(t.Context(), session.Config{
		Store: w.store, MasterKey: session.MasterKey{1}, Issuer: origin,
		Verifier: wallet.New(wallet.Config{Domain: "sessions.example.org", URI: origin + "/api/auth/sessions", Service: "Example"}, icp.Chain()),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service = service
	hub, err := server.NewHub(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	if w.handler, err = httpapi.Public(service, httpapi.Options{Origin: origin, Hosts: []string{"example.com"}, Feed: hub}); err != nil {
		t.Fatal(err)
	}
	w.person = w.newPerson()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- service.Run(ctx) }()
	go func() { done <- hub.Run(ctx) }()
	w.stop = func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := inner.Close(); err != nil {
			t.Error(err)
		}
	}
	return w
}

// serviceKey makes a service's key.
func (w *faultyWorld) serviceKey() string {
	w.t.Helper()
	_, key, err := w.service.AddService(w.t.Context(), "chat", session.Act{Operator: session.RootOperator, Reason: "a new service"})
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

func (w *faultyWorld) call(method, path, bearer, body string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return answer{out.Code, out.Header(), out.Body.Bytes()}
}

func (w *faultyWorld) answerTo(bearer, body string) string {
	w.t.Helper()
	c := data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", bearer, body))
	credential, err := w.person.Credential(c.Message)
	if err != nil {
		w.t.Fatal(err)
	}
	return credential
}

func (w *faultyWorld) signInBody() string {
	return fmt.Sprintf(`{"chain":"icp","address":%q}`, w.person.Principal())
}

func (w *faultyWorld) signIn() api.Tokens {
	w.t.Helper()
	return data[api.Tokens](w.t, w.call("POST", "/api/auth/sessions", w.answerTo("", w.signInBody()), ""))
}

// wantUnavailable fails unless the answer says only that the service cannot
// know: not valid, not signed out, and when to ask again.
func (w *faultyWorld) wantUnavailable(what string, a answer) {
	w.t.Helper()
	if a.Status != 503 || a.code() != api.Unavailable || a.Header.Get("Retry-After") == "" || strings.Contains(string(a.Body), sessiontest.ErrFault.Error()) {
		w.t.Errorf("%s: %d, Retry-After %q: %s", what, a.Status, a.Header.Get("Retry-After"), a.Body)
	}
}

// REL-04: whatever is wrong with the store, and whichever call meets it, the
// answer is 503. What was done although its caller heard of a failure is found
// done afterwards, and nobody but who asked for it is signed out.
func TestAnUnknownStoreIsNeverAnAnswer(t *testing.T) {
	const sessions = "/api/auth/sessions"
	for name, fault := range map[string]sessiontest.Fault{
		"fails": sessiontest.Fails, "hangs": sessiontest.Hangs, "fails after": sessiontest.FailsAfter, "hangs after": sessiontest.HangsAfter,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFaultyWorld(t)
				defer w.stop()
				buried := w.signIn() // ended so long ago that only the store knows it
				w.want(w.call("POST", sessions+"/logout", buried.SessionToken, ""), 200, "")
				time.Sleep(3 * time.Minute)
				read, refreshed, left, ended, narrowed, proved := w.signIn(), w.signIn(), w.signIn(), w.signIn(), w.signIn(), w.signIn()
				fresh := w.answerTo("", w.signInBody())
				proof := w.answerTo(proved.SessionToken, `{"purpose":"reauthenticate"}`)

				writes := map[string]func() answer{
					"create": func() answer { return w.call("POST", sessions, fresh, "") },
					"refresh": func() answer {
						return w.call("POST", sessions+"/refresh", "", `{"refresh_token":"`+refreshed.RefreshToken+`"}`)
					},
					"logout":     func() answer { return w.call("POST", sessions+"/logout", left.SessionToken, "") },
					"end":        func() answer { return w.call("DELETE", sessions+"/"+ended.SessionID, read.SessionToken, "") },
					"end others": func() answer { return w.call("DELETE", sessions, read.SessionToken, "") },
					"permissions": func() answer {
						return w.call("PATCH", sessions+"/current", narrowed.SessionToken, `{"permissions":[]}`)
					},
					"reauthenticate": func() answer {
						return w.call("POST", sessions+"/reauthenticate", proved.SessionToken, `{"credential":"`+proof+`"}`)
					},
					"list":       func() answer { return w.call("GET", sessions, read.SessionToken, "") },
					"long ended": func() answer { return w.call("GET", sessions+"/validate", buried.SessionToken, "") },
					"ready":      func() answer { return w.call("GET", "/readyz", "", "") },
				}
				// What memory can answer it does, for as long as the design lets it.
				memory := map[string]func() answer{
					"validate": func() answer { return w.call("GET", sessions+"/validate", read.SessionToken, "") },
					"current":  func() answer { return w.call("GET", sessions+"/current", read.SessionToken, "") },
					"activity": func() answer { return w.call("POST", sessions+"/activity", read.SessionToken, "") },
					"refresh token": func() answer {
						return w.call("POST", sessions+"/logout", "", `{"refresh_token":"`+left.RefreshToken+`"}`)
					},
					"dead":          func() answer { return w.call("GET", sessions+"/validate?max_age=0", narrowed.SessionToken, "") },
					"no permission": func() answer { return w.call("GET", sessions+"/validate?permission=x", read.SessionToken, "") },
					"reauth request": func() answer {
						return w.call("POST", "/api/auth/challenge", read.SessionToken, `{"purpose":"reauthenticate"}`)
					},
				}
				w.store.Be(fault)
				for what, call := range writes {
					began := time.Now()
					w.wantUnavailable(what, call())
					if took := time.Since(began); took > 6*time.Second {
						t.Errorf("%s: answered after %s", what, took)
					}
				}
				time.Sleep(6 * time.Second) // beyond what memory may bridge
				for what, call := range memory {
					w.wantUnavailable(what, call())
				}
				w.want(w.call("GET", sessions+"/validate", "forged", ""), 401, api.SessionInvalid) // that needs no store
				w.want(w.call("GET", "/healthz", "", ""), 200, "")
				if w.store.Hurt() == 0 {
					t.Error("nothing met the fault")
				}

				w.store.Be(sessiontest.NoFault)
				time.Sleep(2 * time.Second)
				w.want(w.call("GET", "/readyz", "", ""), 200, "")
				w.want(w.call("GET", sessions+"/validate", read.SessionToken, ""), 200, "")
				w.want(w.call("GET", sessions+"/validate", buried.SessionToken, ""), 401, api.SessionInvalid)
				done := fault == sessiontest.FailsAfter || fault == sessiontest.HangsAfter
				for what, s := range map[string]api.Tokens{"logout": left, "end": ended} {
					a := w.call("GET", sessions+"/validate", s.SessionToken, "")
					if gone := a.code() == api.SessionInvalid; a.Status != 200 && !gone || gone && !done && what == "logout" {
						t.Errorf("%s, done %v: afterwards %d %s", what, done, a.Status, a.Body)
					}
				}
				// Whoever asked for a change asks again, as a client does.
				w.want(w.call("POST", sessions+"/logout", left.SessionToken, ""), 200, "")
				w.want(w.call("GET", sessions+"/validate", left.SessionToken, ""), 401, api.SessionInvalid)
				next := w.signIn()
				w.want(w.call("POST", sessions+"/refresh", "", `{"refresh_token":"`+next.RefreshToken+`"}`), 200, "")
				again := w.call("POST", sessions+"/refresh", "", `{"refresh_token":"`+read.RefreshToken+`"}`)
				w.want(again, 200, "")
				w.want(w.call("GET", sessions+"/validate", data[api.Tokens](t, again).SessionToken, ""), 200, "")
			})
		})
	}
}
