package httpapi

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
)

// golden are the fields of every answer and their values, written out here so
// that a change of them is made twice.
var golden = map[string]string{
	"Cache-Control":                "no-store",
	"X-Content-Type-Options":       "nosniff",
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Strict-Transport-Security":    "max-age=31536000",
	"Vary":                         "Origin, Sec-Fetch-Site",
}

// differs are the values that some answers have instead, and the fields that
// come with a status or a call only.
var differs = map[string]map[string]string{
	"GET /.well-known/jwks.json 200": {"Cache-Control": "public, max-age=300", "Content-Type": "application/jwk-set+json"},
	"GET /openapi.yaml 200":          {"Content-Type": "application/yaml"},
	"GET /signin 200": {
		"Content-Type": "text/html; charset=utf-8", "Content-Length": "3", "Content-Security-Policy": pagePolicy,
		"Cross-Origin-Opener-Policy": "same-origin", "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
	},
}

// byStatus are the patterns of the fields that a status adds.
var byStatus = map[int]map[string]string{
	204: {"Access-Control-Allow-Origin": "https://app.example.org", "Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": corsAnswer,
		"Access-Control-Allow-Methods": corsMethods, "Access-Control-Allow-Headers": corsRequest, "Access-Control-Max-Age": "600"},
	401: {"Www-Authenticate": `Bearer error="(invalid_token|insufficient_user_authentication)".*`},
	405: {"Allow": "[A-Z, ]+"},
	426: {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Version": "13"},
	429: {"Retry-After": "[1-9][0-9]?", "Ratelimit": `"address";r=0;t=[0-9]+`, "Ratelimit-Policy": `"address";q=1;w=60`},
	503: {"Retry-After": "[1-9][0-9]?"},
}

// checkFields holds an answer's fields against the golden set: none missing,
// none more.
func checkFields(t *testing.T, method, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	want := maps.Clone(golden)
	for name, value := range want {
		want[name] = regexp.QuoteMeta(value)
	}
	want["Request-Id"] = "req_[0-9a-f]{16}"
	if w.Code != 204 {
		want["Content-Type"] = "application/json"
	}
	for name, value := range differs[fmt.Sprint(method, " ", path, " ", w.Code)] {
		want[name] = regexp.QuoteMeta(value)
	}
	maps.Copy(want, byStatus[w.Code])
	if strings.HasSuffix(path, "/validate") && strings.Contains(w.Body.String(), `"valid":false`) {
		want["Session-Refusal"] = "[a-z_]+"
	}
	if w.Body.Len() >= 2048 && want["Content-Type"] == "application/json" {
		want["Content-Length"] = fmt.Sprint(w.Body.Len())
	}
	for name, pattern := range want {
		got := w.Header().Values(name)
		if len(got) != 1 || !regexp.MustCompile("^(?:"+pattern+")$").MatchString(got[0]) {
			t.Errorf("%s %s %d: %s is %q, want %s", method, path, w.Code, name, got, pattern)
		}
	}
	for name := range w.Header() {
		if _, ok := want[name]; !ok {
			t.Errorf("%s %s %d: %s: %q is not in the golden set", method, path, w.Code, name, w.Header()[name])
		}
	}
}

// everyRoute is the route table with an id where a path has one.
func everyRoute() []route {
	routes := append((&public{}).routes(), pageRoutes(map[string]Page{"/signin": {}})...)
	routes = append(routes, (&public{}).socketRoutes()...)
	for i := range routes {
		routes[i].path = strings.ReplaceAll(routes[i].path, "{id}", "sess_0")
	}
	return routes
}

// WEB-08: whatever the route and the status, the security fields are there.
func TestEveryAnswerHasTheGoldenFields(t *testing.T) {
	seen := map[int]int{}
	check := func(h *house, want int, method, path, body string, set ...func(*http.Request)) {
		t.Helper()
		w := h.do(method, path, body, set...)
		if w.Code != want {
			t.Errorf("%s %s: %d, want %d: %s", method, path, w.Code, want, w.Body)
		}
		seen[w.Code]++
		path, _, _ = strings.Cut(path, "?")
		checkFields(t, method, path, w)
	}
	h := newHouse(t)
	limited := newHouse(t, func(o *Options) { o.Limits = &Limits{Address: 1, Session: 1, Professional: 1} })
	limited.do("GET", "/openapi.yaml", "")
	busy := newHouse(t, func(o *Options) { o.InService = 1 })
	release := busy.occupy()
	foreign := field("Origin", "https://evil.example")
	for _, rt := range everyRoute() {
		h.t = t
		check(h, 400, rt.method, rt.path+"?token=x", "")
		check(h, 404, rt.method, rt.path+"/x/y", "")
		check(h, 404, rt.method, rt.path+";sid=x", "")
		check(h, 404, rt.method, "/"+rt.path, "")
		check(h, 405, "PUT", rt.path, "")
		check(h, 405, "HEAD", rt.path, "")
		check(h, 405, "TRACE", rt.path, "")
		check(h, 421, rt.method, rt.path, "", func(r *http.Request) { r.Host = "evil.example" })
		check(h, 204, "OPTIONS", rt.path, "", field("Origin", listedOrigin), field("Access-Control-Request-Method", "POST"))
		check(h, 403, "OPTIONS", rt.path, "", foreign, field("Access-Control-Request-Method", "POST"))
		if rt.method != "GET" {
			check(h, 403, rt.method, rt.path, "", foreign)
		}
		if rt.access == holder || rt.access == credential || rt.access == socketed {
			check(h, 400, rt.method, rt.path, "", field("Authorization", "Basic eDp5"))
			check(h, 413, rt.method, rt.path, strings.Repeat(" ", api.MaxBody+1))
			check(h, 415, rt.method, rt.path, "{}", field("Content-Type", "text/plain"))
			check(h, 400, rt.method, rt.path, "{")
		}
		if rt.access == holder && rt.path != refreshPath && rt.path != api.BasePath+"/challenge" && !strings.HasSuffix(rt.path, "/logout") {
			body := map[string]string{"/current": `{"permissions":[]}`, "/reauthenticate": `{"credential":"x"}`}[strings.TrimPrefix(rt.path, api.BasePath+"/sessions")]
			if rt.method == "GET" {
				body = ""
			}
			check(h, 401, rt.method, rt.path, body, bearerOf("forged"))
		}
		if rt.access == socketed {
			check(h, 426, rt.method, rt.path, "")
		}
		if rt.meter != unmetered {
			check(limited, 429, rt.method, rt.path, "")
		}
		if !rt.meter.reserved() {
			check(busy, 503, rt.method, rt.path, "")
		}
	}
	release()
	for _, target := range []string{"/", "/x", "/api/auth", "/a/../healthz"} {
		check(h, 404, "GET", target, "")
	}
	star := httptest.NewRequest("OPTIONS", "*", nil)
	star.Host = "sessions.example.org"
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, star)
	if w.Code != 404 {
		t.Errorf("OPTIONS *: %d", w.Code)
	}
	checkFields(t, "OPTIONS", "*", w)

	s := h.signIn()
	me := bearerOf(s.SessionToken)
	const base = api.BasePath
	for _, path := range []string{"/.well-known/jwks.json", "/openapi.yaml", "/healthz", "/readyz", "/signin", base + "/sessions", base + "/sessions/current", base + "/sessions/validate"} {
		check(h, 200, "GET", path, "", me)
	}
	check(h, 403, "GET", base+"/sessions/validate?permission=read:all_profiles", "", me)
	check(h, 401, "POST", base+"/sessions", "")
	check(h, 404, "DELETE", base+"/sessions/sess_0", "", me)
	check(h, 200, "POST", base+"/sessions/activity", "", me)
	check(h, 200, "DELETE", base+"/sessions", "", me)
	check(h, 201, "POST", base+"/sessions", "", bearerOf(h.credential()))
	check(h, 200, "POST", base+"/sessions/refresh", `{"refresh_token":"`+s.RefreshToken+`"}`)
	next := answered[api.Tokens](t, h.do("POST", base+"/sessions/refresh", `{"refresh_token":"`+s.RefreshToken+`"}`))
	h.do("GET", base+"/sessions/validate", "", bearerOf(next.SessionToken))
	h.clock.Advance(11e9)
	check(h, 409, "POST", base+"/sessions/refresh", `{"refresh_token":"`+s.RefreshToken+`"}`)
	check(h, 401, "POST", base+"/sessions/refresh", `{"refresh_token":"rt_x"}`)
	h.clock.Advance(1200e9)
	check(h, 401, "GET", base+"/sessions/validate?max_age=60", "", bearerOf(next.SessionToken))
	check(h, 200, "POST", base+"/sessions/logout", "", bearerOf(next.SessionToken))

	for _, status := range []int{200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 421, 426, 429, 503} {
		if seen[status] == 0 {
			t.Errorf("%d was not provoked", status)
		}
	}
	t.Logf("%v", slices.Sorted(maps.Keys(seen)))
}

// occupy takes the house's only place until release is called.
func (h *house) occupy() (release func()) {
	body, feed := io.Pipe()
	r := httptest.NewRequest("POST", api.BasePath+"/challenge", body)
	r.Host = "sessions.example.org"
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	feed.Write([]byte("{")) // it is being read: the place is taken
	return func() {
		feed.Close()
		<-done
	}
}

// AUZ-01: a route says who may call it, or nothing is served at all.
func TestARouteSaysWhoMayCallIt(t *testing.T) {
	for _, rt := range everyRoute() {
		if rt.access < anyone || rt.access > service {
			t.Errorf("%s %s says nothing", rt.method, rt.path)
		}
		if open := strings.HasPrefix(rt.path, api.BasePath); open == (rt.access == anyone) {
			t.Errorf("%s %s: access %d", rt.method, rt.path, rt.access)
		}
	}
	for _, silent := range []access{0, service + 1, -1} {
		if h, err := newMux(Options{}, []route{{access: anyone, method: "GET", path: "/a"}, {access: silent, method: "GET", path: "/b"}}, nil); err == nil || h != nil {
			t.Errorf("a mux was built over a route with access %d", silent)
		}
	}
}

// TOK-07: no credential in a URL, and it is not told again.
func TestNoCredentialInTheURL(t *testing.T) {
	var log strings.Builder
	h := newHouse(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s := h.signIn()
	for _, rt := range everyRoute() {
		for _, name := range []string{"token", "access_token", "session_token", "refresh_token", "sid", "credential", "Authorization"} {
			for target, want := range map[string]int{
				rt.path + "?" + name + "=" + s.SessionToken:       400,
				rt.path + "?" + name + "=" + s.RefreshToken:       400,
				rt.path + "?x;" + name + "=" + s.RefreshToken:     400,
				rt.path + ";" + name + "=" + s.SessionToken:       404,
				rt.path + "/x/" + s.SessionToken:                  404,
				rt.path + "%3B" + name + "=" + s.RefreshToken:     404,
				rt.path + "?" + s.SessionToken:                    400,
				rt.path + "?%74oken=" + s.SessionToken + "&x=%zz": 400,
			} {
				for _, set := range []func(*http.Request){func(*http.Request) {}, bearerOf(s.SessionToken)} {
					w := h.do(rt.method, target, "", set)
					if w.Code != want {
						t.Errorf("%s %.60s: %d, want %d", rt.method, target, w.Code, want)
					}
					for where, text := range map[string]string{"body": w.Body.String(), "header": fmt.Sprint(w.Header()), "log": log.String()} {
						if strings.Contains(text, s.SessionToken) || strings.Contains(text, s.RefreshToken) {
							t.Fatalf("%s %.60s: the %s echoes it", rt.method, target, where)
						}
					}
					log.Reset()
				}
			}
		}
	}
	if w := h.do("GET", api.BasePath+"/sessions/validate", "", bearerOf(s.SessionToken)); w.Code != 200 {
		t.Errorf("the session came to harm: %d", w.Code)
	}
}
