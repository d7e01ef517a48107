package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
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

// service is one over a data folder of its own, with its public handler.
func benchService(b *testing.B) (*session.Service, http.Handler) {
	b.Helper()
	c := DefaultConfig()
	c.Data, c.PublicURL = b.TempDir(), "http://localhost:8080"
	c.Limits.SessionPerMinute = maxRate
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	m := newMetrics()
	service, store, err := Open(b.Context(), c, log, m)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	h, err := c.handlers(service, nil, nil, nil, log, m)
	if err != nil {
		b.Fatal(err)
	}
	return service, h[0]
}

func benchSignIn(b *testing.B, s *session.Service) session.Tokens {
	b.Helper()
	id, err := icp.NewIdentity()
	if err != nil {
		b.Fatal(err)
	}
	prompt, err := s.Challenge(b.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: id.Principal()}})
	if err != nil {
		b.Fatal(err)
	}
	credential, err := id.Credential(prompt.Message)
	if err != nil {
		b.Fatal(err)
	}
	out, err := s.Create(b.Context(), session.CreateRequest{Credential: credential, Reporting: true})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkValidate is all of a validate but net/http.
func BenchmarkValidate(b *testing.B) { benchValidate(b, "") }

// BenchmarkValidateForAGateway is one that tells whose session it is in fields.
func BenchmarkValidateForAGateway(b *testing.B) { benchValidate(b, "?headers=true") }

func benchValidate(b *testing.B, query string) {
	s, h := benchService(b)
	r := httptest.NewRequest("GET", api.BasePath+"/sessions/validate"+query, nil)
	r.Host = "localhost:8080"
	r.Header.Set("Authorization", "Bearer "+benchSignIn(b, s).SessionToken.Reveal())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 {
		b.Fatal(w.Code, w.Body)
	}
	b.ReportAllocs()
	n := &nobody{http.Header{}}
	for b.Loop() {
		clear(n.header)
		h.ServeHTTP(n, r)
	}
}

// BenchmarkRefresh is all of a refresh but net/http, 64 sessions at once.
func BenchmarkRefresh(b *testing.B) {
	s, h := benchService(b)
	pairs := make([]session.Tokens, 64)
	for i := range pairs {
		pairs[i] = benchSignIn(b, s)
	}
	var next atomic.Int32
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		token := pairs[next.Add(1)%64].RefreshToken.Reveal()
		for pb.Next() {
			r := httptest.NewRequest("POST", api.BasePath+"/sessions/refresh", strings.NewReader(`{"refresh_token":"`+token+`"}`))
			r.Host = "localhost:8080"
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var out api.Envelope[api.Tokens]
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out.Data == nil {
				b.Error(w.Code, w.Body)
				return
			}
			token = out.Data.RefreshToken
		}
	})
}
