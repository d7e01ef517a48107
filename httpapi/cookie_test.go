package httpapi

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
)

// API-02: fifty cookies are read; with one more nothing is, wherever the
// session's own stand among them.
func TestFiftyCookiesAndNoMore(t *testing.T) {
	h := newHouse(t)
	cookie := h.signInCookie()
	r, _ := http.NewRequest("GET", "/", nil)
	cookie(r)
	own := r.Header.Get("Cookie") // two
	others := func(n int) string { return strings.TrimSuffix(strings.Repeat("a=b; ", n), "; ") }
	for name, c := range map[string]struct {
		lines []string
		want  int
	}{
		"none but ours":      {[]string{own}, 200},
		"fifty, ours last":   {[]string{others(48) + "; " + own}, 200},
		"fifty, ours first":  {[]string{own + "; " + others(48)}, 200},
		"fifty in lines":     {[]string{others(24), own, others(24)}, 200},
		"one more, first":    {[]string{own + "; " + others(49)}, 400},
		"one more, last":     {[]string{others(49) + "; " + own}, 400},
		"one more, in lines": {[]string{others(25), own, others(24)}, 400},
		"three thousand":     {[]string{own + "; " + others(3000)}, 400},
		"of nothing":         {[]string{own + strings.Repeat(";", 3000)}, 400},
		"in so many lines":   {append(strings.Split(strings.Repeat("a=b\n", 3000), "\n"), own), 400},
	} {
		w := h.do("GET", api.BasePath+"/sessions/validate", "", func(r *http.Request) { r.Header["Cookie"] = c.lines })
		if w.Code != c.want || c.want == 400 && !strings.Contains(w.Body.String(), "More than 50 cookies") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	// Calls that look at no cookie do not mind them.
	many := func(r *http.Request) { r.Header.Set("Cookie", own+"; "+others(3000)) }
	if w := h.do("GET", "/openapi.yaml", "", many); w.Code != 200 {
		t.Errorf("a call without cookies: %d", w.Code)
	}
	if w := h.do("POST", api.BasePath+"/sessions", "", bearerOf(h.credential()), many); w.Code != 201 {
		t.Errorf("a sign-in past stale cookies: %d %s", w.Code, w.Body)
	}
}

// WEB-01: each Set-Cookie that any call can answer with, letter by letter.
func TestEverySetCookie(t *testing.T) {
	const base = api.BasePath
	session := regexp.MustCompile(`^__Host-s=[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+; Path=/; HttpOnly; Secure; SameSite=Strict$`)
	refresh := regexp.MustCompile(`^__Host-r=rt_[A-Za-z0-9_-]{99}; Path=/; HttpOnly; Secure; SameSite=Strict$`)
	gone := []*regexp.Regexp{
		regexp.MustCompile(`^__Host-s=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict$`),
		regexp.MustCompile(`^__Host-r=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict$`),
	}
	set := []*regexp.Regexp{session, refresh}
	h := newHouse(t)
	var jar []*http.Cookie
	var proof string
	page := field("Origin", ownOrigin)
	call := func(method, path, body string, want []*regexp.Regexp, more ...func(*http.Request)) string {
		t.Helper()
		w := h.do(method, path, body, append(more, page, attach(jar, proof))...)
		lines := w.Header().Values("Set-Cookie")
		if w.Code >= 300 || len(lines) != len(want) {
			t.Fatalf("%s %s: %d, %d cookies: %s", method, path, w.Code, len(lines), w.Body)
		}
		for i, line := range lines {
			if !want[i].MatchString(line) || len(line) >= 4096 {
				t.Errorf("%s %s: Set-Cookie: %s", method, path, line)
			}
		}
		if len(lines) > 0 {
			jar = w.Result().Cookies()
		}
		return w.Body.String()
	}
	signIn := func() {
		t.Helper()
		credential := h.credential()
		jar = []*http.Cookie{{Name: sessionCookie, Value: "planted"}, {Name: refreshCookie, Value: "planted"}}
		body := call("POST", base+"/sessions", `{"transport":"cookie"}`, set, bearerOf(credential))
		proof = regexp.MustCompile(`"csrf_token":"([^"]+)"`).FindStringSubmatch(body)[1]
	}
	signIn()
	call("POST", base+"/sessions/refresh", "", set)
	call("PATCH", base+"/sessions/current", `{"permissions":[]}`, set)
	call("PATCH", base+"/sessions/current", `{"device_label":"x"}`, nil)
	challenge := call("POST", base+"/challenge", `{"purpose":"reauthenticate"}`, nil)
	credential, err := h.person.Credential(messageOf(t, challenge))
	if err != nil {
		t.Fatal(err)
	}
	call("POST", base+"/sessions/reauthenticate", fmt.Sprintf(`{"credential":%q}`, credential), set)
	for _, path := range []string{"", "/validate", "/current"} {
		call("GET", base+"/sessions"+path, "", nil)
	}
	call("POST", base+"/sessions/activity", "", nil)
	call("DELETE", base+"/sessions", "", nil)
	call("POST", base+"/sessions/logout", "", gone)
	signIn()
	call("DELETE", base+"/sessions?include=current", "", gone)

	// No other call sets one, whatever it is sent: neither refusals nor sessions
	// by header.
	s := h.signIn()
	for _, rt := range everyRoute() {
		if strings.HasSuffix(rt.path, "/logout") {
			continue // forgets what a browser still sends
		}
		for _, secret := range []func(*http.Request){bearerOf("forged"), bearerOf(s.SessionToken), attach(jar, proof)} {
			for _, body := range []string{"", "{}", "{"} {
				if w := h.do(rt.method, rt.path, body, page, secret); len(w.Header().Values("Set-Cookie")) > 0 && w.Code != 200 {
					t.Errorf("%s %s %d sets a cookie", rt.method, rt.path, w.Code)
				}
			}
		}
	}
}

func messageOf(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`"message":"([^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no message: %s", body)
	}
	return strings.ReplaceAll(m[1], `\n`, "\n")
}
