package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
)

// WEB-05: over every call that changes something, a request passes if its
// origin is one of ours; or it has none and the browser says it is no other
// site's; or it says nothing of where it is from and carries its credential
// itself. And then only with a body that no form can send.
func TestChangesInEveryCombination(t *testing.T) {
	h := newHouse(t)
	token := bearerOf(h.signIn().SessionToken)
	cookie := h.signInCookie()
	cells, passed := 0, 0
	for _, c := range []struct {
		method, path, body string
		want               int // of an allowed cell
		optional           bool
	}{
		{"POST", "/sessions/activity", "{}", 200, true},
		{"PATCH", "/sessions/current", `{"device_label":"x"}`, 200, false},
		{"DELETE", "/sessions/sess_0", "{}", 404, true},
		{"POST", "/challenge", `{"purpose":"reauthenticate"}`, 200, false},
		{"POST", "/sessions/reauthenticate", `{"credential":"x"}`, 401, false},
		{"POST", "/sessions", `{"credential":"x"}`, 401, false}, // no cookie counts here
		{"POST", "/sessions/refresh", `{"refresh_token":"x"}`, 401, false},
		{"POST", "/sessions/logout", `{"unknown":1}`, 400, false},
	} {
		for _, origin := range []string{"", ownOrigin, listedOrigin, "null", "https://evil.example", ownOrigin + ".evil.example", "http://sessions.example.org"} {
			for _, site := range []string{"", "same-origin", "none", "same-site", "cross-site", "x"} {
				for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "text/json"} {
					for _, byCookie := range []bool{true, false} {
						if c.path == "/sessions" && byCookie {
							continue
						}
						secret, want := token, c.want
						if byCookie {
							secret = cookie
						}
						ours := origin == ownOrigin || origin == listedOrigin
						unsaid := origin == "" && site == "" && !byCookie
						switch {
						case !ours && !unsaid && !(origin == "" && (site == "same-origin" || site == "none")):
							want = 403
						case !strings.HasPrefix(contentType, "application/json") || strings.Contains(contentType, "16"):
							want = 415
						case c.path == "/sessions/refresh" && byCookie:
							want = 400 // the session twice
						case c.path == "/sessions":
							want = 400 // the credential twice
						}
						w := h.do(c.method, api.BasePath+c.path, c.body, secret, field("Origin", origin), field("Sec-Fetch-Site", site),
							func(r *http.Request) { r.Header.Del("Content-Type") }, field("Content-Type", contentType))
						if w.Code != want {
							t.Fatalf("%s %s, origin %q, site %q, type %q, cookie %v: %d, want %d: %s", c.method, c.path, origin, site, contentType, byCookie, w.Code, want, w.Body)
						}
						if allowed := w.Header().Get("Access-Control-Allow-Origin"); allowed != "" && (allowed != origin || origin != listedOrigin) {
							t.Fatalf("origin %q gets Access-Control-Allow-Origin %q", origin, allowed)
						}
						if cells++; want == c.want {
							passed++
						}
					}
				}
			}
		}
	}
	t.Logf("%d cells, %d allowed", cells, passed)

	// Every undeclared verb is 405, whoever asks; reading changes nothing.
	for _, rt := range everyRoute() {
		declared := map[string]bool{}
		for _, other := range everyRoute() {
			if other.path == rt.path {
				declared[other.method] = true
			}
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get"} {
			if declared[method] {
				continue
			}
			for _, secret := range []func(*http.Request){token, cookie} {
				w := h.do(method, rt.path, "", secret, field("Origin", ownOrigin))
				if w.Code != 405 || w.Header().Get("Allow") == "" {
					t.Errorf("%s %s: %d, Allow %q", method, rt.path, w.Code, w.Header().Get("Allow"))
				}
			}
		}
	}
	for _, secret := range []func(*http.Request){token, cookie} {
		if w := h.do("GET", api.BasePath+"/sessions/validate", "", secret); w.Code != 200 {
			t.Errorf("a session came to harm: %d", w.Code)
		}
	}
}
