package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// limited switches the limits on, as they are by default.
func limited(c *server.Config) { c.Limits.Enabled = nil }

// behind makes every test's peer a proxy.
func behind(c *server.Config) { c.Limits.Proxies = []string{"127.0.0.0/8", "::1/128"} }

// from calls as a client whose address a proxy, or the client itself, tells.
func (w *world) from(address, method, path, bearer string) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", address)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return w.do(req)
}

const jwksPath = "/.well-known/jwks.json"

// exhaust uses up what this address may ask without a session.
func (w *world) exhaust() {
	w.t.Helper()
	for range 101 {
		if w.call("GET", jwksPath, "", nil).Status == 429 {
			return
		}
	}
	w.t.Fatal("the address has no limit")
}

func TestAHundredRequestsAMinuteWithoutASession(t *testing.T) {
	w := newWorld(t, limited) // reading the description was the first
	for i := range 99 {
		a := w.validate("forged")
		w.want(a, 401, api.SessionInvalid)
		if got, want := a.Header.Get("RateLimit"), fmt.Sprintf(`"address";r=%d;`, 98-i); !strings.HasPrefix(got, want) {
			t.Fatalf("request %d: RateLimit %s, want %s…", i+2, got, want)
		}
	}
	a := w.validate("forged")
	w.want(a, 429, api.RateLimited)
	if !strings.Contains(string(a.Body), `"data":{"valid":false,"reason":"rate_limited"}`) {
		t.Errorf("what keeps the specification's client alive: %s", a.Body)
	}
	if a.Header.Get("RateLimit-Policy") != `"address";q=100;w=60` || a.Header.Get("RateLimit") != `"address";r=0;t=1` {
		t.Errorf("fields: %v", a.Header)
	}
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 5 {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	for _, path := range []string{"/openapi.yaml", "/.well-known/jwks.json", "/nowhere", "/api/auth/sessions"} {
		w.want(w.call("GET", path, "", nil), 429, api.RateLimited)
	}
	w.want(w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{Chain: "icp", Address: w.person.Principal()}), 429, api.RateLimited)
	w.want(w.refresh("forged"), 429, api.RateLimited)
	w.want(w.call("POST", "/api/auth/sessions/refresh", "", "{"), 429, api.RateLimited)
	w.want(w.call("GET", "/healthz", "", nil), 200, "")
	w.want(w.call("GET", "/readyz", "", nil), 200, "")
	w.clock.Advance(600 * time.Millisecond)
	w.want(w.call("GET", jwksPath, "", nil), 200, "")
	w.want(w.call("GET", jwksPath, "", nil), 429, api.RateLimited)
	w.clock.Advance(time.Minute)
	for range 100 {
		w.want(w.call("GET", jwksPath, "", nil), 200, "")
	}
	w.want(w.call("GET", jwksPath, "", nil), 429, api.RateLimited)
	if strings.Contains(w.log.String(), "127.0.0.1:") && strings.Contains(w.log.String(), "rate_limited 127") {
		t.Error("an address in the log")
	}
}

func TestASessionHasItsOwnLimit(t *testing.T) {
	w := newWorld(t, limited, func(c *server.Config) { c.Limits.SessionPerMinute = 150 })
	s := w.signIn(api.CreateRequest{})
	other := w.signIn(api.CreateRequest{})
	for range 150 {
		w.want(w.validate(s.SessionToken), 200, "")
	}
	a := w.validate(s.SessionToken)
	w.want(a, 429, api.RateLimited)
	if a.Header.Get("RateLimit-Policy") != `"session";q=150;w=60` {
		t.Errorf("fields: %v", a.Header)
	}
	w.want(w.refresh(s.RefreshToken), 429, api.RateLimited) // the same session by another credential
	w.want(w.validate(other.SessionToken), 200, "")
	w.want(w.call("GET", jwksPath, "", nil), 200, "")

	w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
	w.clock.Advance(time.Minute)
	w.want(w.validate(s.SessionToken), 401, api.SessionInvalid)
}

func TestANeighboursFloodStopsNobody(t *testing.T) {
	w := newWorld(t, limited)
	s := w.signIn(api.CreateRequest{})
	silent := w.signIn(api.CreateRequest{})
	for i := range 300 {
		w.validate("forged" + strconv.Itoa(i))
	}
	w.want(w.validate("forged"), 429, api.RateLimited)
	w.want(w.validate(s.SessionToken), 200, "")
	w.want(w.validate(silent.SessionToken), 200, "") // never used before
	next := data[api.Tokens](t, w.refresh(s.RefreshToken))
	w.want(w.validate(next.SessionToken), 200, "")
	w.want(w.call("POST", "/api/auth/sessions/activity", next.SessionToken, nil), 200, "")

	// After a restart nothing is known; genuine sessions are found out.
	w.stop()
	w.serve(limited)
	w.exhaust()
	w.want(w.validate("forged"), 429, api.RateLimited)
	w.want(w.validate(next.SessionToken), 200, "")
	w.want(w.refresh(silent.RefreshToken), 200, "")
}

func TestLogoutIsNeverRefused(t *testing.T) {
	w := newWorld(t, limited)
	a, b, c := w.signIn(api.CreateRequest{}), w.signIn(api.CreateRequest{}), w.signIn(api.CreateRequest{})
	w.stop()
	w.serve(limited) // so that none is known
	w.exhaust()
	w.want(w.call("POST", "/api/auth/sessions/logout", "", "{"), 400, api.InvalidRequest)
	w.want(w.call("POST", "/api/auth/sessions/logout", a.SessionToken, nil), 200, "")
	w.want(w.call("POST", "/api/auth/sessions/logout", "", api.LogoutRequest{RefreshToken: b.RefreshToken}), 200, "")
	w.want(w.call("DELETE", "/api/auth/sessions?include=current", c.SessionToken, nil), 200, "")
	w.clock.Advance(time.Minute)
	for _, s := range []api.Tokens{a, b, c} {
		w.want(w.validate(s.SessionToken), 401, api.SessionInvalid)
	}
}

func TestForwardedAddressesCountFromProxiesOnly(t *testing.T) {
	w := newWorld(t, limited)
	w.exhaust()
	for _, field := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"} {
		req, _ := http.NewRequest("GET", w.url+jwksPath, nil)
		req.Header.Set(field, map[bool]string{true: "for=198.51.100.7", false: "198.51.100.7"}[field == "Forwarded"])
		w.want(w.do(req), 429, api.RateLimited)
	}
	if n := strings.Count(w.log.String(), "limits.proxies"); n != 1 {
		t.Errorf("the operator is told %d times that a proxy may be missing", n)
	}

	w = newWorld(t, limited, behind)
	w.exhaust() // the proxy's own
	for range 100 {
		w.want(w.from("198.51.100.7", "GET", jwksPath, ""), 200, "")
	}
	w.want(w.from("198.51.100.7", "GET", jwksPath, ""), 429, api.RateLimited)
	w.want(w.from("203.0.113.1, 198.51.100.7", "GET", jwksPath, ""), 429, api.RateLimited)
	w.want(w.from("198.51.100.8", "GET", jwksPath, ""), 200, "")
	w.want(w.from("nonsense", "GET", jwksPath, ""), 429, api.RateLimited)
	for i := range 100 {
		w.want(w.from(fmt.Sprintf("2001:db8:0:1::%x", i+1), "GET", jwksPath, ""), 200, "")
	}
	w.want(w.from("2001:db8:0:1:ffff::", "GET", jwksPath, ""), 429, api.RateLimited)
	w.want(w.from("2001:db8:0:2::1", "GET", jwksPath, ""), 200, "")
	if strings.Contains(w.log.String(), "198.51.100") || strings.Contains(w.log.String(), "2001:db8") {
		t.Error("an address in the log")
	}
}

func TestOverloadIsShed(t *testing.T) {
	w := newWorld(t, func(c *server.Config) { c.Limits.InService = 1 })
	s := w.signIn(api.CreateRequest{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /api/auth/sessions/refresh HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	// The server waits for its body: one request is in service.
	a := w.validate(s.SessionToken)
	w.want(a, 503, api.Unavailable)
	if !strings.Contains(string(a.Body), `"reason":"unavailable"`) || a.Header.Get("Retry-After") == "" {
		t.Errorf("%v %s", a.Header, a.Body)
	}
	w.want(w.call("GET", "/healthz", "", nil), 200, "")
	w.want(w.call("GET", "/readyz", "", nil), 200, "")
	w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
	fmt.Fprint(conn, "{}")
	answers.ReadString('\n') // of the interim answer
	if res, err := http.ReadResponse(answers, nil); err != nil || res.StatusCode != 400 {
		t.Errorf("the request in service: %v %v", res, err)
	}
	for range 1000 { // until the server has noticed that it is done
		if w.call("GET", jwksPath, "", nil).Status == 200 {
			return
		}
	}
	t.Error("the place was not given back")
}

func TestChaosLosesAnswersAndNobodyIsLoggedOut(t *testing.T) {
	var throws atomic.Pointer[[]float64]
	none := []float64{}
	throws.Store(&none)
	w := newWorld(t, func(c *server.Config) {
		c.Dev, c.Chaos = true, true
		c.Roll = func() float64 {
			left := *throws.Load()
			if len(left) == 0 {
				return 0.99
			}
			rest := left[1:]
			throws.Store(&rest)
			return left[0]
		}
	})
	s := w.signIn(api.CreateRequest{})
	throws.Store(&[]float64{0.5, 0.5, 0.05}) // no delay, no refusal, a lost answer
	res, err := http.Post(w.url+"/api/auth/sessions/refresh", "application/json", strings.NewReader(`{"refresh_token":"`+s.RefreshToken+`"}`))
	if err == nil {
		res.Body.Close()
		t.Fatalf("an answer came: %d", res.StatusCode)
	}
	if !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("the connection broke with %v", err)
	}
	first := data[api.Tokens](t, w.refresh(s.RefreshToken))
	again := data[api.Tokens](t, w.refresh(s.RefreshToken))
	if first.RefreshToken != again.RefreshToken {
		t.Error("the repeated refreshes got different successors")
	}
	w.want(w.validate(first.SessionToken), 200, "")

	throws.Store(&[]float64{0.5, 0.05}) // a refusal before any work
	w.want(w.refresh(first.RefreshToken), 503, api.Unavailable)
	w.want(w.refresh(first.RefreshToken), 200, "")
	if strings.Contains(w.log.String(), "panic") {
		t.Error("a lost answer is reported as a panic")
	}
}

func TestRefusalsAreCountedByKindOnly(t *testing.T) {
	var operator string
	w := newWorld(t, limited, func(c *server.Config) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		operator = l.Addr().String()
		l.Close()
		c.OperatorListen = operator
	})
	w.exhaust()
	for range 200 { // the operator's listener has no limit
		res, err := http.Get("http://" + operator + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || !regexp.MustCompile(`(?m)^sessiond_limited_total\{policy="address"\} 1$`).Match(text) {
			t.Fatalf("%d %s", res.StatusCode, text)
		}
	}
}
