package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/wallet/icp"
)

// nobody is the answer that nobody reads.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }
func (n *nobody) WriteHeader(int)             {}

// BenchmarkValidate is all of a validate but net/http.
func BenchmarkValidate(b *testing.B) {
	c := DefaultConfig()
	c.Data, c.PublicURL = b.TempDir(), "http://localhost:8080"
	c.Limits.SessionPerMinute = maxRate
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	m := newMetrics()
	service, store, err := Open(b.Context(), c, log, m)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	h, err := c.handlers(service, log, m)
	if err != nil {
		b.Fatal(err)
	}
	id, err := icp.NewIdentity()
	if err != nil {
		b.Fatal(err)
	}
	prompt, err := service.Challenge(b.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: id.Principal()}})
	if err != nil {
		b.Fatal(err)
	}
	credential, err := id.Credential(prompt.Message)
	if err != nil {
		b.Fatal(err)
	}
	out, err := service.Create(b.Context(), session.CreateRequest{Credential: credential})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", api.BasePath+"/sessions/validate", nil)
	r.Host = "localhost:8080"
	r.Header.Set("Authorization", "Bearer "+out.SessionToken.Reveal())
	w := httptest.NewRecorder()
	h[0].ServeHTTP(w, r)
	if w.Code != 200 {
		b.Fatal(w.Code, w.Body)
	}
	b.ReportAllocs()
	n := &nobody{http.Header{}}
	for b.Loop() {
		clear(n.header)
		h[0].ServeHTTP(n, r)
	}
}
