package server_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/token"
)

// newClient is a service of the platform that follows the server.
func (w *world) newClient(opts ...client.Option) *client.Client {
	w.t.Helper()
	opts = append([]client.Option{client.Logger(slog.New(slog.NewTextHandler(io.Discard, nil)))}, opts...)
	c, err := client.New(w.url, w.newService("chat").Key, opts...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	if err := c.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// realTime lets the server and the client have one clock.
func realTime(c *server.Config) { c.Now = time.Now }

// until calls f until it is true; the test's own end bounds it.
func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	for tick := time.NewTicker(time.Millisecond); !f(); {
		select {
		case <-tick.C:
		case <-w.t.Context().Done():
			w.t.Fatal(what)
		}
	}
}

// REV-02, AUZ-03: a service that checks tokens itself refuses what was revoked, and
// asks about a session once.
func TestAServiceThatChecksTokensItself(t *testing.T) {
	for _, alg := range []token.Algorithm{token.EdDSA, token.ES256, token.HS256} {
		t.Run(string(alg), func(t *testing.T) {
			w := newWorld(t, realTime, func(c *server.Config) { c.Algorithm = alg })
			c := w.newClient()
			verify := func(raw string, conditions ...client.Condition) error {
				_, err := c.Verify(t.Context(), raw, conditions...)
				return err
			}
			s := w.signIn(api.CreateRequest{})
			got, err := c.Verify(t.Context(), s.SessionToken, client.Require("write:messages"), client.MaxAge(15*time.Minute))
			if err != nil || got.ID != s.SessionID || got.Type != "standard" || got.UserID == "" || got.Principal != w.person.Principal() {
				t.Fatalf("%+v, %v", got, err)
			}
			for range 10 {
				if err := verify(s.SessionToken); err != nil {
					t.Error(err)
				}
			}
			if n := c.Stats().Asked; n != 1 {
				t.Errorf("asked %d times", n)
			}
			next := data[api.Tokens](t, w.refresh(s.RefreshToken))
			if err := verify(next.SessionToken); err != nil {
				t.Error(err)
			}
			// The person gives a permission up, and the service hears of it.
			left := []string{"read:profile"}
			narrowed := data[api.Tokens](t, w.call("PATCH", "/api/auth/sessions/current", next.SessionToken, api.AmendRequest{Permissions: &left}))
			if err := verify(narrowed.SessionToken, client.Require("write:messages")); !errors.Is(err, client.ErrPermissionDenied) {
				t.Error(err)
			}
			w.until("a token from before is refused", func() bool { return errors.Is(verify(next.SessionToken), client.ErrExpired) })
			w.call("POST", "/api/auth/sessions/logout", narrowed.SessionToken, nil)
			w.until("a token is refused after the logout", func() bool { return errors.Is(verify(narrowed.SessionToken), client.ErrInvalid) })
			if err := verify("junk"); !errors.Is(err, client.ErrInvalid) {
				t.Error(err)
			}
		})
	}
}

// A token that a cookie carries opens nothing elsewhere.
func TestACookiesTokenOpensNothingAtAService(t *testing.T) {
	w := newWorld(t, realTime)
	c := w.newClient()
	j := newJar(w)
	j.signIn()
	if len(j.cookies) == 0 {
		t.Fatal("no cookie")
	}
	for name, value := range j.cookies {
		if _, err := c.Verify(t.Context(), value); !errors.Is(err, client.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A generation that only a service has seen is in use: who comes late with its
// predecessor's refresh token gets nothing.
func TestAServiceTellsWhichTokensAreInUse(t *testing.T) {
	for _, told := range []bool{true, false} {
		var ahead atomic.Int64
		w := newWorld(t, func(c *server.Config) {
			c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		})
		c := w.newClient()
		s := w.signIn(api.CreateRequest{})
		if _, err := c.Verify(t.Context(), s.SessionToken); err != nil {
			t.Fatal(err)
		}
		next := data[api.Tokens](t, w.refresh(s.RefreshToken))
		if told {
			if _, err := c.Verify(t.Context(), next.SessionToken); err != nil {
				t.Fatal(err)
			}
		}
		c.Close() // tells what is left
		if n := c.Stats(); n.ReportsDropped != 0 || n.Asked != 1 {
			t.Errorf("%+v", n)
		}
		ahead.Store(int64(11 * time.Second)) // the grace of a refresh is over
		a := w.refresh(s.RefreshToken)
		if told {
			w.want(a, http.StatusConflict, api.RefreshSuperseded)
		} else {
			w.want(a, http.StatusOK, "")
		}
	}
}

// The server goes away: the service is blind within five seconds of it and refuses
// nobody for good; and follows again when it is back.
func TestAServerThatIsGoneMakesItsServicesBlind(t *testing.T) {
	w := newWorld(t, realTime)
	front := new(atomic.Pointer[string])
	front.Store(&w.url)
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		to := front.Load()
		if to == nil {
			panic(http.ErrAbortHandler)
		}
		pass(rw, r, *to, func() bool { return front.Load() != nil })
	}))
	defer proxy.Close()
	c, err := client.New(proxy.URL, w.newService("chat").Key, client.Logger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := w.signIn(api.CreateRequest{})
	verify := func() error { _, err := c.Verify(t.Context(), s.SessionToken); return err }
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	front.Store(nil)
	w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil)
	gone := time.Now()
	w.until("it is blind", func() bool {
		begin := time.Now()
		err := verify()
		if err == nil && begin.Sub(gone) > 5*time.Second {
			t.Fatalf("valid in a call that began %v after the logout", begin.Sub(gone))
		}
		if err != nil && !errors.Is(err, client.ErrUnavailable) {
			t.Fatalf("%v", err)
		}
		return err != nil
	})
	front.Store(&w.url)
	w.until("it sees again", func() bool { return errors.Is(verify(), client.ErrInvalid) })
}

// pass carries a request to another server, and the answer back if that is open.
func pass(rw http.ResponseWriter, r *http.Request, to string, open func() bool) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, to+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(err)
	}
	out.Header = r.Header
	res, err := http.DefaultClient.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	if !open() {
		panic(http.ErrAbortHandler)
	}
	for name, list := range res.Header {
		rw.Header()[name] = list
	}
	rw.WriteHeader(res.StatusCode)
	io.Copy(rw, res.Body)
}

// BenchmarkRevokeToRefuse is the time from a revocation's request to the first
// refusal by a Go client that had the session in memory, and from its
// acknowledgement, while the client verifies other tokens as fast as it can.
//
//	go test ./server -run '^$' -bench RevokeToRefuse -benchtime 10000x
func BenchmarkRevokeToRefuse(b *testing.B) {
	w := newWorld(b, realTime, func(c *server.Config) { c.LogLevel = "error" })
	w.many = true
	c := w.newClient()
	busy := w.signIn(api.CreateRequest{}).SessionToken
	stop := make(chan bool)
	var load sync.WaitGroup
	var verified atomic.Int64
	load.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := c.Verify(b.Context(), busy); err != nil {
					b.Error(err)
					return
				}
				verified.Add(1)
			}
		}
	})
	var asked, acknowledged []time.Duration
	for b.Loop() {
		b.StopTimer()
		w.person = w.newPerson()
		s := w.signIn(api.CreateRequest{})
		if _, err := c.Verify(b.Context(), s.SessionToken); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		refused := make(chan time.Time, 1)
		begin := time.Now()
		go func() {
			for {
				if _, err := c.Verify(b.Context(), s.SessionToken); err != nil {
					refused <- time.Now()
					return
				}
				time.Sleep(50 * time.Microsecond)
			}
		}()
		w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil)
		done := time.Now()
		at := <-refused
		asked = append(asked, at.Sub(begin))
		acknowledged = append(acknowledged, max(0, at.Sub(done)))
	}
	close(stop)
	load.Wait()
	for name, list := range map[string][]time.Duration{"asked": asked, "acked": acknowledged} {
		slices.Sort(list)
		for _, p := range []float64{50, 99, 100} {
			at := list[min(len(list)-1, int(float64(len(list))*p/100))]
			b.ReportMetric(float64(at.Microseconds()), fmt.Sprintf("µs-%s-p%g", name, p))
		}
	}
	b.ReportMetric(float64(verified.Load())/float64(b.N), "verified/revocation")
}
