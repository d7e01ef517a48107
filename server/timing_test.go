//go:build !race

// The race detector takes a time of its own: make test runs these without it.

package server

import (
	"encoding/base64"
	"flag"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/token"
	"github.com/mentalverse/session/wallet/icp"
)

// welch is Welch's t of two samples without their slowest tenth, which the
// machine makes and not the code.
func welch(a, b []float64) float64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	top := all[len(all)*9/10]
	moments := func(s []float64) (mean, variance, n float64) {
		for _, x := range s {
			if x <= top {
				mean += x
				n++
			}
		}
		mean /= n
		for _, x := range s {
			if x <= top {
				variance += (x - mean) * (x - mean)
			}
		}
		return mean, variance / (n - 1), n
	}
	ma, va, na := moments(a)
	mb, vb, nb := moments(b)
	return (ma - mb) / math.Sqrt(va/na+vb/nb)
}

// sample times n uses of each class's inputs, in random order, every input a
// fresh one that was made before its batch began; nothing is collected while
// it is timed.
func sample(n int, seed uint64, make [2]func(*rand.Rand) string, use func(string)) (out [2][]float64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	rng := rand.New(rand.NewPCG(seed, 10))
	const batch = 2000
	inputs, class := [batch]string{}, [batch]int{}
	for len(out[0]) < n || len(out[1]) < n {
		for i := range inputs {
			class[i] = rng.IntN(2)
			inputs[i] = make[class[i]](rng)
		}
		runtime.GC()
		for i := range 50 { // so that caches are warm again
			use(inputs[i])
		}
		for i, in := range inputs {
			began := time.Now()
			use(in)
			out[class[i]] = append(out[class[i]], float64(time.Since(began)))
		}
	}
	return out
}

// limitT is what the absolute t stays under where nothing leaks: the usual bound
// of leakage tests, passed by chance in one of 150,000.
const limitT = 4.5

func checkTiming(t *testing.T, name string, n int, make [2]func(*rand.Rand) string, use func(string)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		for attempt := range 2 {
			seed := uint64(time.Now().UnixNano())
			s := sample(n, seed, make, use)
			value := welch(s[0], s[1])
			t.Logf("t = %.2f over 2 × %d, median %.0f and %.0f ns", value, n, median(s[0]), median(s[1]))
			if math.Abs(value) < limitT {
				return
			}
			if attempt == 1 {
				t.Errorf("twice |t| ≥ %v", limitT)
			}
		}
	})
}

func median(s []float64) float64 {
	s = slices.Clone(s)
	slices.Sort(s)
	return s[len(s)/2]
}

// The measure itself must tell a comparison that stops at the first difference.
func TestTheTimingTestSeesALeak(t *testing.T) {
	want := strings.Repeat("w", 4096)
	leaky := func(s string) {
		for i := range len(want) {
			if s[i] != want[i] {
				return
			}
		}
	}
	at := func(i int) func(*rand.Rand) string {
		return func(*rand.Rand) string { return want[:i] + "x" + want[i+1:] }
	}
	s := sample(4000, 1, [2]func(*rand.Rand) string{at(0), at(4095)}, leaky)
	if value := welch(s[0], s[1]); math.Abs(value) < limitT {
		t.Errorf("t = %.2f of a comparison that leaks", value)
	}
	s = sample(4000, 1, [2]func(*rand.Rand) string{at(7), at(7)}, leaky)
	if value := welch(s[0], s[1]); math.Abs(value) >= limitT {
		t.Errorf("t = %.2f of twice the same", value)
	}
}

// timed is a service with a session by header, one that ended, and what a page
// of a cookie session sends.
type timed struct {
	service     *session.Service
	handler     http.Handler
	clock       *sessiontest.Clock
	live, ended session.Tokens
	cookies     []*http.Cookie
	proof       string
}

func newTimed(t *testing.T, alg token.Algorithm) *timed {
	t.Helper()
	s := &timed{clock: sessiontest.NewClock(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))}
	c := DefaultConfig()
	c.PublicURL, c.Data, c.Algorithm, c.Now = "https://sessions.example.org", t.TempDir(), alg, s.clock.Now
	off := false
	c.Limits.Enabled, c.Anonymous.Artifacts = &off, Unpacked
	log, m := slog.New(slog.NewTextHandler(io.Discard, nil)), newMetrics()
	service, store, err := Open(t.Context(), c, log, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	handlers, err := c.handlers(service, nil, nil, nil, log, m)
	if err != nil {
		t.Fatal(err)
	}
	s.service, s.handler = service, handlers[0]
	person, err := icp.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	credential := func() string {
		p, err := service.Challenge(t.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: person.Principal()}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := person.Credential(p.Message)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, to := range []*session.Tokens{&s.live, &s.ended} {
		if *to, err = service.Create(t.Context(), session.CreateRequest{Credential: credential()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := service.Logout(t.Context(), s.ended.SessionToken, s.ended.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", api.BasePath+"/sessions", strings.NewReader(`{"transport":"cookie"}`))
	r.Host = "sessions.example.org"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+credential())
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	m2 := regexp.MustCompile(`"csrf_token":"([^"]+)"`).FindStringSubmatch(w.Body.String())
	if m2 == nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s.cookies, s.proof = w.Result().Cookies(), m2[1]
	return s
}

// spoil makes the i-th byte of a base64url text wrong, counted from the end when
// negative.
func spoil(prefix, text string, i int) func(*rand.Rand) string {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	if i < 0 {
		i += len(b)
	}
	return func(r *rand.Rand) string {
		b := slices.Clone(b)
		b[i] ^= byte(1 + r.IntN(255))
		return prefix + base64.RawURLEncoding.EncodeToString(b)
	}
}

// TOK-03, PRI-08, E10: how long a refusal takes tells a stranger nothing: not
// how much of a secret was right, and not whether a session exists or existed.
func TestRefusalsTakeTheSameTime(t *testing.T) {
	n, slow := 50_000, 8_000
	if f := flag.Lookup("long"); f != nil && f.Value.String() == "true" {
		n, slow = 1_000_000, 100_000
	}
	s := newTimed(t, token.HS256)
	validate := func(s *timed) func(string) {
		return func(text string) {
			if _, err := s.service.Validate(t.Context(), session.NewSecret(session.Header, text), session.Requirement{MaxAge: -1}, session.Glance); session.CodeOf(err) != session.CodeInvalid {
				t.Fatal(err)
			}
		}
	}
	refresh := func(text string) {
		if _, err := s.service.Refresh(t.Context(), session.NewSecret(session.Header, text), ""); session.CodeOf(err) != session.CodeRefreshFailed {
			t.Fatal(err)
		}
	}
	jwt := s.live.SessionToken.Reveal()
	head, signature := jwt[:strings.LastIndexByte(jwt, '.')+1], jwt[strings.LastIndexByte(jwt, '.')+1:]
	checkTiming(t, "HS256 signature", n, [2]func(*rand.Rand) string{spoil(head, signature, 0), spoil(head, signature, -1)}, validate(s))

	// A refresh token is version, id (1 to 21), generation, tag (26 to 41), MAC.
	rt := s.live.RefreshToken.Reveal()[3:]
	checkTiming(t, "refresh tag", n, [2]func(*rand.Rand) string{spoil("rt_", rt, 26), spoil("rt_", rt, 41)}, refresh)
	checkTiming(t, "refresh MAC", n, [2]func(*rand.Rand) string{spoil("rt_", rt, 42), spoil("rt_", rt, -1)}, refresh)
	// The last byte of the id is random, so another one names no session.
	known := spoil("rt_", rt, 41)
	unknown := func(r *rand.Rand) string { return spoil("rt_", known(r)[3:], 21)(r) }
	alike := func(r *rand.Rand) string { return spoil("rt_", known(r)[3:], 40)(r) } // as much work to make
	checkTiming(t, "known and unknown session", n, [2]func(*rand.Rand) string{alike, unknown}, refresh)
	gone := spoil("rt_", s.ended.RefreshToken.Reveal()[3:], 41)
	checkTiming(t, "live and ended session", n, [2]func(*rand.Rand) string{known, gone}, refresh)

	answer := &unread{header: http.Header{}}
	checkTiming(t, "Session-CSRF", n, [2]func(*rand.Rand) string{spoil("", s.proof, 0), spoil("", s.proof, -1)}, func(text string) {
		r := &http.Request{Method: "POST", Host: "sessions.example.org", URL: activityURL, RequestURI: activityURL.Path, Body: http.NoBody, Header: http.Header{
			"Origin": {"https://sessions.example.org"}, "Session-Csrf": {text}, "Cookie": {s.cookies[0].Name + "=" + s.cookies[0].Value},
		}}
		s.handler.ServeHTTP(answer, r)
		if answer.status != http.StatusForbidden {
			t.Fatal(answer.status)
		}
	})

	// EdDSA checks by public values alone, and its time varies with each of them:
	// only the average over many tokens says something. A repeated refresh gives a
	// new token every second.
	e := newTimed(t, token.EdDSA)
	var texts []string
	if _, err := e.service.Refresh(t.Context(), e.live.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		e.clock.Advance(time.Second)
		again, err := e.service.Refresh(t.Context(), e.live.RefreshToken, "")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, again.SessionToken.Reveal())
	}
	spoilSignature := func(at int, bits byte) func(*rand.Rand) string {
		return func(r *rand.Rand) string {
			jwt := texts[r.IntN(len(texts))]
			dot := strings.LastIndexByte(jwt, '.') + 1
			b, _ := base64.RawURLEncoding.DecodeString(jwt[dot:])
			b[at] ^= bits // and what stays below the group's order, which is checked first
			return jwt[:dot] + base64.RawURLEncoding.EncodeToString(b)
		}
	}
	checkTiming(t, "EdDSA signature", slow, [2]func(*rand.Rand) string{spoilSignature(0, 1), spoilSignature(63, 1)}, validate(e))
}

var activityURL = httptest.NewRequest("POST", api.BasePath+"/sessions/activity", nil).URL

// unread is an answer of which only the status is kept.
type unread struct {
	header http.Header
	status int
}

func (u *unread) Header() http.Header         { clear(u.header); return u.header }
func (u *unread) Write(b []byte) (int, error) { return len(b), nil }
func (u *unread) WriteHeader(status int)      { u.status = status }
