package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/httpapi"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

// asked is a store that counts what requests may ask of it.
type asked struct {
	session.Store
	calls atomic.Int64
}

func (a *asked) Session(ctx context.Context, id token.ID) (session.Session, error) {
	a.calls.Add(1)
	return a.Store.Session(ctx, id)
}

func (a *asked) Roster(ctx context.Context, subject string) (session.Roster, error) {
	a.calls.Add(1)
	return a.Store.Roster(ctx, subject)
}

func (a *asked) UserOf(ctx context.Context, account session.Account) (string, error) {
	a.calls.Add(1)
	return a.Store.UserOf(ctx, account)
}

func (a *asked) Apply(ctx context.Context, changes ...session.Change) []error {
	a.calls.Add(1)
	return a.Store.Apply(ctx, changes...)
}

// TOK-04, E4: whoever has no genuine secret costs no query, in whatever call
// and by whatever channel a forged one is shown.
func TestForgeriesCostNoQuery(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "s.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := &asked{Store: db}
	clock := sessiontest.NewClock(start)
	config := session.Config{
		Store: store, MasterKey: session.MasterKey{1, 2, 3}, Issuer: origin, Now: clock.Now,
		Verifier: wallet.New(wallet.Config{Domain: "sessions.example.org", URI: origin + "/api/auth/sessions", Service: "Example"}, icp.Chain()),
	}
	service, err := session.NewService(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := httpapi.Public(service, httpapi.Options{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	person, err := icp.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	credential := func() string {
		t.Helper()
		p, err := service.Challenge(t.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: person.Principal()}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := person.Credential(p.Message)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	opened, err := service.Create(t.Context(), session.CreateRequest{Credential: credential()})
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := service.Create(t.Context(), session.CreateRequest{Credential: credential(), Channel: session.Cookie})
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, path, body, bearer, cookies string) int {
		r := httptest.NewRequest(method, api.BasePath+path, strings.NewReader(body))
		r.Host = "sessions.example.org"
		r.Header.Set("Origin", origin)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		if cookies != "" {
			r.Header.Set("Cookie", cookies)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	n := 20_000
	if *long {
		n = 1_000_000
	}
	h := newHostile(1, 1, api.Tokens{SessionToken: opened.SessionToken.Reveal(), RefreshToken: opened.RefreshToken.Reveal()}, credential())
	c := newHostile(1, 2, api.Tokens{SessionToken: cookie.SessionToken.Reveal(), RefreshToken: cookie.RefreshToken.Reveal()}, credential())
	tagged := len("rt_") + 56 // the characters that spell nothing but body and tag
	before := store.calls.Load()
	statuses := map[int]int{}
	for i := range n {
		// Most name another session: one that no memory holds.
		at := h.rng.IntN(tagged-3) + 3
		refresh := h.refresh[:at] + flipAt(h.refresh, at) + h.refresh[at+1:]
		switch i % 8 {
		case 0:
			statuses[send("POST", "/sessions/refresh", fmt.Sprintf(`{"refresh_token":%q}`, refresh), "", "")]++
		case 1:
			statuses[send("POST", "/sessions/logout", fmt.Sprintf(`{"refresh_token":%q}`, refresh), "", "")]++
		case 2:
			statuses[send("GET", "/sessions/validate", "", h.flip(h.token), "")]++
		case 3:
			statuses[send("GET", h.one("/sessions", "/sessions/current"), "", h.flip(h.token), "")]++
		case 4:
			statuses[send("POST", "/sessions", "", h.flip(h.credential), "")]++
		case 5:
			statuses[send(h.one("POST", "GET"), h.one("/sessions/refresh", "/sessions/logout", "/sessions/current", "/sessions/validate"), "", "", "__Host-s="+c.flip(c.token)+"; __Host-r="+c.refresh[:at]+flipAt(c.refresh, at)+c.refresh[at+1:])]++
		case 6:
			statuses[send("DELETE", h.one("/sessions", "/sessions?include=current", "/sessions/"+opened.Session.ID.String()), "", h.flip(h.token), "")]++
		case 7:
			statuses[send(h.one("POST", "PATCH"), h.one("/challenge", "/sessions/activity", "/sessions/reauthenticate", "/sessions/current"), h.json([]string{"purpose", "credential", "permissions"}), h.flip(h.token), "")]++
		}
	}
	if asks := store.calls.Load() - before; asks != 0 {
		t.Errorf("%d forgeries cost %d queries", n, asks)
	}
	t.Logf("%d forgeries: %v", n, statuses)
	if statuses[http.StatusUnauthorized] < n/2 {
		t.Error("too few came as far as their secret")
	}
	// The count can count, and the sessions are as they were.
	if status := send("GET", "/sessions", "", opened.SessionToken.Reveal(), ""); status != 200 || store.calls.Load() == before {
		t.Errorf("a genuine token: %d, %d queries", status, store.calls.Load()-before)
	}
}

// flipAt is another character than the one that stands there.
func flipAt(s string, i int) string {
	if s[i] == 'A' {
		return "B"
	}
	return "A"
}
