package server_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

const app = "https://app.example.org"

// jar is a browser's: what cookies it holds and what its page knows.
type jar struct {
	w       *world
	cookies map[string]string
	csrf    string
	set     []string // every Set-Cookie it was sent
	bodies  []string // and every body
	origin  string
}

func newJar(w *world) *jar { return &jar{w: w, cookies: map[string]string{}, origin: origin} }

func (j *jar) request(method, path, body string) *http.Request {
	req, err := http.NewRequest(method, j.w.url+path, strings.NewReader(body))
	if err != nil {
		j.w.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range j.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if j.csrf != "" {
		req.Header.Set("Session-CSRF", j.csrf)
	}
	if j.origin != "" && method != "GET" {
		req.Header.Set("Origin", j.origin)
	}
	return req
}

func (j *jar) do(req *http.Request) answer {
	j.w.t.Helper()
	a := j.w.do(req)
	j.bodies = append(j.bodies, string(a.Body))
	for _, line := range a.Header.Values("Set-Cookie") {
		j.set = append(j.set, line)
		c, err := http.ParseSetCookie(line)
		if err != nil {
			j.w.t.Fatal(err)
		}
		if c.MaxAge < 0 {
			delete(j.cookies, c.Name)
		} else {
			j.cookies[c.Name] = c.Value
		}
	}
	return a
}

func (j *jar) call(method, path, body string) answer {
	j.w.t.Helper()
	return j.do(j.request(method, path, body))
}

func (j *jar) signIn() api.Tokens {
	j.w.t.Helper()
	req := j.request("POST", "/api/auth/sessions", `{"transport":"cookie"}`)
	req.Header.Set("Authorization", "Bearer "+j.w.credential(j.w.person))
	a := j.do(req)
	if a.Status != 201 {
		j.w.t.Fatalf("sign-in: %d %s", a.Status, a.Body)
	}
	s := data[api.Tokens](j.w.t, a)
	j.csrf = s.CSRFToken
	return s
}

// WEB-01, WEB-02, WEB-03, TOK-06: what a cookie session is made of.
func TestACookieSessionLivesAndEnds(t *testing.T) {
	w := newWorld(t)
	j := newJar(w)
	j.cookies["__Host-s"], j.cookies["__Host-r"] = "planted", "planted" // stale or planted: ignored and replaced
	first := j.signIn()
	if first.SessionToken != "" || first.RefreshToken != "" || first.CSRFToken == "" {
		t.Errorf("the body: %+v", first)
	}
	if j.cookies["__Host-s"] == "planted" || j.cookies["__Host-r"] == "planted" {
		t.Error("a planted cookie was adopted")
	}
	w.want(j.call("GET", "/api/auth/sessions/validate", ""), 200, "")
	old := j.cookies["__Host-r"]
	next := data[api.Tokens](t, j.call("POST", "/api/auth/sessions/refresh", ""))
	if next.CSRFToken != first.CSRFToken {
		t.Error("the proof changed with a refresh")
	}
	if j.cookies["__Host-r"] == old {
		t.Error("the refresh cookie did not change")
	}
	current := data[api.Session](t, j.call("GET", "/api/auth/sessions/current", ""))
	if current.CSRFToken != first.CSRFToken || current.SessionID != first.SessionID {
		t.Errorf("current: %+v", current)
	}
	w.want(j.call("POST", "/api/auth/sessions/activity", "{}"), 200, "")
	w.want(j.call("PATCH", "/api/auth/sessions/current", `{"permissions":["read:profile"]}`), 200, "")
	w.want(j.call("GET", "/api/auth/sessions/validate?permission=write:messages", ""), 403, api.PermissionDenied)

	secrets := []string{j.cookies["__Host-s"], j.cookies["__Host-r"]}
	a := j.call("POST", "/api/auth/sessions/logout", "")
	w.want(a, 200, "")
	if len(j.cookies) != 0 || a.Header.Get("Clear-Site-Data") != `"cache", "cookies", "storage"` {
		t.Errorf("after logout: %v, %q", j.cookies, a.Header.Get("Clear-Site-Data"))
	}
	golden := regexp.MustCompile(`^__Host-[sr]=[A-Za-z0-9._-]*; Path=/;( Max-Age=0;)? HttpOnly; Secure; SameSite=Strict$`)
	for _, line := range j.set {
		if !golden.MatchString(line) || len(line) > 4096 {
			t.Errorf("Set-Cookie: %s", line)
		}
	}
	for _, body := range j.bodies {
		for _, secret := range secrets {
			if strings.Contains(body, secret) || strings.Contains(body, "rt_") || strings.Contains(body, "eyJ") {
				t.Error("a body holds a secret")
			}
		}
	}
	j.cookies = map[string]string{"__Host-s": secrets[0], "__Host-r": secrets[1]}
	w.want(j.call("GET", "/api/auth/sessions/validate", ""), 401, api.SessionInvalid)
	if strings.Contains(w.log.String(), secrets[0]) {
		t.Error("the log holds a secret")
	}
}

// A page that is loaded anew after its token's time can go on.
func TestAReloadedPageCanRefresh(t *testing.T) {
	w := newWorld(t)
	j := newJar(w)
	proof := j.signIn().CSRFToken
	w.clock.Advance(12*time.Hour + time.Minute)
	j.csrf = ""
	a := j.call("GET", "/api/auth/sessions/current", "")
	w.want(a, 401, api.SessionExpired)
	if !strings.Contains(string(a.Body), `"csrf_token":"`+proof+`"`) {
		t.Errorf("no proof to refresh with: %s", a.Body)
	}
	j.csrf = proof
	w.want(j.call("POST", "/api/auth/sessions/refresh", "{}"), 200, "")
	w.want(j.call("GET", "/api/auth/sessions/current", ""), 200, "")

	w.clock.Advance(11 * time.Hour)
	j.cookies["__Host-s"] = "not.a.token" // logout with only the refresh cookie
	w.want(j.call("POST", "/api/auth/sessions/logout", ""), 200, "")
	if len(j.cookies) != 0 {
		t.Error("cookies outlive a logout")
	}
}

// REF-08: a secret of one channel opens nothing in the other.
func TestChannelsAreKeptApart(t *testing.T) {
	w := newWorld(t)
	header := w.signIn(api.CreateRequest{})
	j := newJar(w)
	j.signIn()
	w.want(w.validate(j.cookies["__Host-s"]), 401, api.SessionInvalid)
	w.want(w.refresh(j.cookies["__Host-r"]), 401, api.RefreshFailed)
	w.call("POST", "/api/auth/sessions/logout", j.cookies["__Host-s"], api.LogoutRequest{RefreshToken: j.cookies["__Host-r"]})
	w.want(j.call("GET", "/api/auth/sessions/validate", ""), 200, "") // that ended nothing

	thief := newJar(w)
	thief.cookies["__Host-s"], thief.cookies["__Host-r"], thief.csrf = header.SessionToken, header.RefreshToken, j.csrf
	w.want(thief.call("GET", "/api/auth/sessions/validate", ""), 401, api.SessionInvalid)
	w.want(thief.call("POST", "/api/auth/sessions/refresh", ""), 403, api.OriginDenied)
	w.want(w.validate(header.SessionToken), 200, "")

	both := j.request("GET", "/api/auth/sessions/validate", "")
	both.Header.Set("Authorization", "Bearer "+header.SessionToken)
	w.want(j.do(both), 400, api.InvalidRequest)
	w.want(j.call("POST", "/api/auth/sessions/refresh", `{"refresh_token":"`+header.RefreshToken+`"}`), 400, api.InvalidRequest)
}

// WEB-06: cookies alone change nothing.
func TestCookiesNeedTheProof(t *testing.T) {
	w := newWorld(t)
	j, other := newJar(w), newJar(w)
	proof := j.signIn().CSRFToken
	foreign := other.signIn().CSRFToken
	for _, bad := range []string{"", foreign, proof[:42], proof + "A", strings.ToLower(proof), "null"} {
		j.csrf = bad
		for _, c := range [][2]string{
			{"POST", "/api/auth/sessions/refresh"}, {"POST", "/api/auth/sessions/logout"}, {"POST", "/api/auth/sessions/activity"},
			{"DELETE", "/api/auth/sessions"}, {"DELETE", "/api/auth/sessions/sess_x"}, {"PATCH", "/api/auth/sessions/current"},
			{"POST", "/api/auth/sessions/reauthenticate"},
		} {
			w.want(j.call(c[0], c[1], "{}"), 403, api.OriginDenied)
		}
	}
	twice := j.request("POST", "/api/auth/sessions/logout", "")
	twice.Header["Session-Csrf"] = []string{proof, proof}
	w.want(j.do(twice), 403, api.OriginDenied)
	mixed := newJar(w) // the session cookie of one session, the refresh cookie of another
	mixed.cookies["__Host-s"], mixed.cookies["__Host-r"], mixed.csrf = j.cookies["__Host-s"], other.cookies["__Host-r"], proof
	w.want(mixed.call("POST", "/api/auth/sessions/refresh", ""), 400, api.InvalidRequest)
	j.csrf = proof
	w.want(j.call("GET", "/api/auth/sessions/validate", ""), 200, "")
}

// WEB-05: a change must come from an allowed page, whatever the method, the
// content type and the browser's word about the site.
func TestChangesComeFromAllowedPages(t *testing.T) {
	w := newWorld(t, func(c *server.Config) { c.Origins = []string{app} })
	j := newJar(w)
	j.signIn()
	header := w.signIn(api.CreateRequest{})
	for _, origin := range []string{"", origin, app, "null", "https://evil.example", "https://sessions.example.org.evil.example"} {
		for _, site := range []string{"", "same-origin", "same-site", "cross-site", "none"} {
			for _, cookie := range []bool{true, false} {
				known := origin == "https://sessions.example.org" || origin == app
				want := 403
				switch {
				case known, origin == "" && (site == "same-origin" || site == "none"), origin == "" && site == "" && !cookie:
					want = 200
				}
				j.origin = origin
				req := j.request("POST", "/api/auth/sessions/activity", "{}")
				if !cookie {
					req.Header.Del("Cookie")
					req.Header.Del("Session-CSRF")
					req.Header.Set("Authorization", "Bearer "+header.SessionToken)
				}
				if site != "" {
					req.Header.Set("Sec-Fetch-Site", site)
				}
				if a := j.do(req); a.Status != want {
					t.Errorf("origin %q, site %q, cookie %v: %d, want %d", origin, site, cookie, a.Status, want)
				}
			}
		}
	}
	j.origin = origin
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16"} {
		req := j.request("POST", "/api/auth/sessions/activity", "{}")
		req.Header.Del("Content-Type")
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		w.want(j.do(req), 415, api.UnsupportedMediaType)
	}
	for _, method := range []string{"PUT", "TRACE", "PROPFIND", "HEAD", "GET", "OPTIONS"} {
		if a := j.call(method, "/api/auth/sessions/logout", ""); a.Status != 405 {
			t.Errorf("%s: %d", method, a.Status)
		}
	}
	prefetch := j.request("GET", "/api/auth/sessions/validate", "")
	prefetch.Header.Set("Sec-Purpose", "prefetch")
	w.want(j.do(prefetch), 200, "")
}

// WEB-07: CORS for the listed origins alone, and no foreign host name.
func TestForeignOriginsAndHosts(t *testing.T) {
	w := newWorld(t, func(c *server.Config) { c.Origins = []string{app}; c.Hosts = []string{"internal.example:8443"} })
	hostile := []string{"null", "*", "", "https://", "file://", "data:", "https://app.example.org/", "https://app.example.org:443", "https://app.example.org:8443",
		"http://app.example.org", "HTTPS://APP.EXAMPLE.ORG", "https://App.example.org", "https://app.example.org.evil.example", "https://evilapp.example.org",
		"https://app.example.org@evil.example", "https://evil.example/https://app.example.org", "https://evil.example#app.example.org", "https://app.example.org%00.evil.example",
		"https://app.example.org evil", "https://app.example.org,https://evil.example", "https://app.example.org https://evil.example", "https://app_example.org", "https://appxexample.org",
		"https://example.org", "https://x.app.example.org", "http://localhost", "http://localhost:8080", "http://127.0.0.1", "https://[::1]", "https://localhost.evil.example",
		"chrome-extension://abcdef", "moz-extension://abcdef", "app://app.example.org", "ftp://app.example.org", "https://app.example.org\\", "https://app.example.org?",
		"https://аpp.example.org", "https://xn--pp-7ka.example.org", "wss://app.example.org", "https://sessions.example.org.", "https://app.example.org."}
	for _, foreign := range hostile {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			req, _ := http.NewRequest(method, w.url+"/api/auth/sessions/refresh", nil)
			req.Header["Origin"] = []string{foreign}
			req.Header.Set("Access-Control-Request-Method", "POST")
			a := w.do(req)
			if a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %q: CORS", method, foreign)
			}
			if method != "GET" && a.Status != 403 {
				t.Errorf("%s from %q: %d", method, foreign, a.Status)
			}
			if a.Header.Get("Vary") != "Origin, Sec-Fetch-Site" {
				t.Error("no Vary")
			}
		}
	}
	req, _ := http.NewRequest("OPTIONS", w.url+"/api/auth/sessions/refresh", nil)
	req.Header.Set("Origin", app)
	req.Header.Set("Access-Control-Request-Method", "POST")
	a := w.do(req)
	if a.Status != 204 || a.Header.Get("Access-Control-Allow-Origin") != app || a.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("preflight of a listed origin: %d %v", a.Status, a.Header)
	}
	req, _ = http.NewRequest("GET", w.url+"/api/auth/sessions/validate", nil)
	req.Header.Set("Origin", app)
	if a := w.do(req); a.Status != 401 || a.Header.Get("Access-Control-Allow-Origin") != app {
		t.Errorf("a listed origin cannot read a refusal: %d %v", a.Status, a.Header)
	}
	for host, want := range map[string]int{
		"sessions.example.org": 401, "SESSIONS.example.org": 401, "internal.example:8443": 401, "127.0.0.1:9": 401, "[::1]": 401,
		"evil.example": 421, "sessions.example.org.evil.example": 421, "localhost": 421, "internal.example": 421, "sessions.example.org:1": 421, "x": 421,
	} {
		req, _ := http.NewRequest("GET", w.url+"/api/auth/sessions/validate", nil)
		req.Host = host
		if a := w.do(req); a.Status != want {
			t.Errorf("Host %q: %d, want %d", host, a.Status, want)
		}
	}
}

// WEB-04: whatever a reader might make of it, an odd Cookie header is refused
// or ignored; it never opens a session.
func TestOddCookiesOpenNothing(t *testing.T) {
	w := newWorld(t)
	j := newJar(w)
	j.signIn()
	s, r := j.cookies["__Host-s"], j.cookies["__Host-r"]
	good := "__Host-s=" + s
	odd := []string{
		good + "; " + good, good + "; __Host-s=x", "__Host-s=x; " + good, good + "; __Host-s=", "__Host-s=; " + good, good + ";" + good, good + "; __HOST-S=x",
		`__Host-s="` + s + `"`, `__Host-s="` + s, "__Host-s=" + s + `"`, "__Host-s= " + s, "__Host-s =" + s, " __Host-s =" + s, "__Host-s=" + s + " ", "__Host-s=\t" + s, "\t__Host-s=" + s,
		"$Version=1; " + good, "$Version=1, " + good, good + "; $Path=/", `$Version="1"; ` + good, "$Version; " + good,
		"__host-s=" + s, "__HOST-S=" + s, "__Host-S=" + s, "__Secure-s=" + s, "s=" + s, "Host-s=" + s, "__Host-s-=" + s, "__Host-s.=" + s, "__Host_s=" + s, "__Host-ѕ=" + s,
		"\u00a0__Host-s=" + s, "__Host-s\u00a0=" + s, "\u2028__Host-s=" + s, "\ufeff__Host-s=" + s, "\u200b__Host-s=" + s, "__Host-s\u3000=" + s, "\u0085__Host-s=" + s, "\xa0__Host-s=" + s,
		"__Host-s=" + s + "=", "__Host-s==" + s, "__Host-s=" + s + ",x", "x,__Host-s=" + s, "x=y," + good, "=__Host-s=" + s, "=" + s, "__Host-s", s, "__Host-s:" + s, "__Host-s%3D" + s, "__Host%2Ds=" + s,
		`x="y; ` + good, `x="; ` + good + `; y="`, "__Host-s=" + s[:len(s)-1], "__Host-s=" + s + "A", "__Host-s=" + r, "__Host-r=" + r, "__Host-r=" + s, "__Host-s=" + strings.ToUpper(s), "__Host-s=" + s + "\\", "__Host-s=\\" + s,
		"__Host-s=null", "__Host-s=undefined", "__Host-s=deleted", "__Host-s=" + strings.Repeat("A", 5000), ";;;;", ";" + strings.Repeat(" ;", 500),
	}
	// A quote in another cookie changes nothing; space around a whole field is
	// HTTP's own and gone before anyone reads it.
	opened := map[string]bool{`x="y; ` + good: true, `x="; ` + good + `; y="`: true, good + " ": true, "\t" + good: true}
	for _, line := range odd {
		req, _ := http.NewRequest("GET", w.url+"/api/auth/sessions/validate", nil)
		req.Header["Cookie"] = []string{line}
		a, err := w.try(req)
		if err != nil {
			continue // the client's own library would not send it
		}
		if a.Status == 200 != opened[line] || a.Status != 200 && a.Status != 400 && a.Status != 401 {
			t.Errorf("%q: %d", strings.ReplaceAll(line, s, "S"), a.Status)
		}
	}
	two, _ := http.NewRequest("GET", w.url+"/api/auth/sessions/validate", nil)
	two.Header["Cookie"] = []string{good, good}
	w.want(w.do(two), 400, api.InvalidRequest)
	t.Logf("%d odd headers", len(odd))
}
