package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

const (
	ownOrigin    = "https://sessions.example.org"
	listedOrigin = "https://app.example.org"
)

// house is the public handler over a real service, without a network.
type house struct {
	t       *testing.T
	handler http.Handler
	service *session.Service
	clock   *sessiontest.Clock
	person  *icp.Identity
	board   *board
}

func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "s.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := &house{t: t, clock: sessiontest.NewClock(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)), board: newBoard()}
	service, err := session.NewService(t.Context(), session.Config{
		Store: store, MasterKey: session.MasterKey{1, 2, 3}, Issuer: ownOrigin, Now: h.clock.Now, Observer: h.board,
		Verifier: wallet.New(wallet.Config{Domain: "sessions.example.org", URI: ownOrigin + "/api/auth/sessions", Service: "Example"}, icp.Chain()),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.service = service
	opts := Options{Origin: ownOrigin, Origins: []string{listedOrigin}, Pages: map[string]Page{"/signin": {ContentType: "text/html; charset=utf-8", Body: []byte("<p>")}}}
	opts.Sockets = NewSockets(SocketOptions{Subscribe: h.board.subscribe})
	t.Cleanup(func() { opts.Sockets.Shutdown() })
	for _, f := range change {
		f(&opts)
	}
	if h.handler, err = Public(service, opts); err != nil {
		t.Fatal(err)
	}
	if h.person, err = icp.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	return h
}

// field sets a field of a request; an empty value leaves it out.
func field(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

func bearerOf(token string) func(*http.Request) { return field("Authorization", "Bearer "+token) }

func (h *house) do(method, target, body string, set ...func(*http.Request)) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "sessions.example.org"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range set {
		f(r)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func answered[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var e api.Envelope[T]
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || !e.Success || e.Data == nil {
		t.Fatalf("not a success: %d %s", w.Code, w.Body)
	}
	return *e.Data
}

func (h *house) credential() string {
	h.t.Helper()
	c := answered[api.Challenge](h.t, h.do("POST", api.BasePath+"/challenge", `{"chain":"icp","address":"`+h.person.Principal()+`"}`))
	credential, err := h.person.Credential(c.Message)
	if err != nil {
		h.t.Fatal(err)
	}
	return credential
}

// signIn opens a session by header.
func (h *house) signIn() api.Tokens {
	h.t.Helper()
	return answered[api.Tokens](h.t, h.do("POST", api.BasePath+"/sessions", "", bearerOf(h.credential())))
}

// signInCookie opens a session by cookie and returns what a page would send.
func (h *house) signInCookie() func(*http.Request) {
	h.t.Helper()
	w := h.do("POST", api.BasePath+"/sessions", `{"transport":"cookie"}`, bearerOf(h.credential()), field("Origin", ownOrigin))
	return attach(w.Result().Cookies(), answered[api.Tokens](h.t, w).CSRFToken)
}

func attach(jar []*http.Cookie, proof string) func(*http.Request) {
	return func(r *http.Request) {
		for _, c := range jar {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
		r.Header.Set("Session-CSRF", proof)
	}
}
