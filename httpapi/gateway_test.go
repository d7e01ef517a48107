package httpapi

import (
	"net/http"
	"strings"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

const validatePath = api.BasePath + "/sessions/validate"

// A gateway that asks for fields gets all four, of a session that is good, by
// token and by cookie and without a proof; whoever does not ask gets none.
func TestAGatewayIsToldWhoseSessionItIs(t *testing.T) {
	h := newHouse(t)
	tokens := h.signIn()
	user := answered[api.Validation](t, h.do("GET", validatePath, "", bearerOf(tokens.SessionToken))).UserID
	cookie := h.signInCookie()
	for name, secret := range map[string]func(*http.Request){
		"token":                    bearerOf(tokens.SessionToken),
		"cookie":                   cookie,
		"cookie without its proof": func(r *http.Request) { cookie(r); r.Header.Del("Session-CSRF") },
		"what a gateway passes on": func(r *http.Request) {
			cookie(r)
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Session-Subject", "user_forged")
			r.Header.Set("Session-Type", "professional")
		},
	} {
		w := h.do("GET", validatePath+"?headers=true", "", secret)
		for field, want := range map[string]string{
			"Session-Subject": user, "Session-Type": "standard", "Session-Verification-Level": "none", "Cache-Control": "no-store",
			"Session-Permissions": "book:sessions join:groups read:profile write:messages",
		} {
			if got := w.Header().Values(field); w.Code != 200 || len(got) != 1 || got[0] != want {
				t.Errorf("%s: %d, %s is %q, want %q", name, w.Code, field, got, want)
			}
		}
		if w.Header().Get("Session-Refusal") != "" {
			t.Errorf("%s: a good session is refused", name)
		}
		w = h.do("GET", validatePath, "", secret)
		for _, field := range forwarded {
			if _, ok := w.Header()[field]; ok || w.Code != 200 {
				t.Errorf("%s: %d, %s came unasked", name, w.Code, field)
			}
		}
	}
	narrow := answered[api.Tokens](t, h.do("PATCH", api.BasePath+"/sessions/current", `{"permissions":[]}`, bearerOf(tokens.SessionToken)))
	w := h.do("GET", validatePath+"?headers=true", "", bearerOf(narrow.SessionToken))
	if got := w.Header()["Session-Permissions"]; w.Code != 200 || len(got) != 1 || got[0] != "" {
		t.Errorf("no permissions are %q", got)
	}
}

// Whatever is refused names nobody, and tells a gateway why.
func TestARefusalNamesNobodyToAGateway(t *testing.T) {
	h := newHouse(t)
	good := bearerOf(h.signIn().SessionToken)
	limited := newHouse(t, func(o *Options) { o.Limits = &Limits{Address: 1, Session: 1, Professional: 1} })
	limited.do("GET", "/openapi.yaml", "")
	busy := newHouse(t, func(o *Options) { o.InService = 1 })
	defer busy.occupy()()
	for _, c := range []struct {
		h      *house
		query  string
		secret func(*http.Request)
		status int
		code   api.Code
	}{
		{h, "headers=true", bearerOf("forged"), 401, api.SessionInvalid},
		{h, "headers=true", func(*http.Request) {}, 401, api.SessionInvalid},
		{h, "headers=true&permission=write:therapy_notes", good, 403, api.PermissionDenied},
		{h, "headers=false", good, 400, api.InvalidRequest},
		{h, "headers=", good, 400, api.InvalidRequest},
		{h, "headers=true&headers=true", good, 400, api.InvalidRequest},
		{h, "headers=true&max_age=x", good, 400, api.InvalidRequest},
		{limited, "headers=true", bearerOf("forged"), 429, api.RateLimited},
		{busy, "headers=true", good, 503, api.Unavailable},
	} {
		c.h.t = t
		w := c.h.do("GET", validatePath+"?"+c.query, "", c.secret)
		if w.Code != c.status || w.Header().Get("Session-Refusal") != string(c.code) {
			t.Errorf("%s: %d %q, want %d %q", c.query, w.Code, w.Header().Get("Session-Refusal"), c.status, c.code)
		}
		for _, field := range forwarded {
			if _, ok := w.Header()[field]; ok {
				t.Errorf("%s: a refusal has %s", c.query, field)
			}
		}
	}
	h.clock.Advance(1e9)
	w := h.do("GET", validatePath+"?headers=true&max_age=0", "", good)
	if w.Code != 401 || w.Header().Get("Session-Refusal") != string(api.ReauthenticationRequired) || !strings.Contains(w.Header().Get("WWW-Authenticate"), `max_age="0"`) {
		t.Errorf("an old authentication: %d %v", w.Code, w.Header())
	}
}

// A name that would end a field, or begin another, is handed to no gateway.
func FuzzForward(f *testing.F) {
	f.Add("user_1", "read:profile")
	f.Add("user_1\r\nSession-Type: professional", "x")
	f.Add("user_1", "a b")
	f.Add("", "")
	f.Add("user\x00", "é")
	f.Fuzz(func(t *testing.T, subject, permission string) {
		h := http.Header{}
		row := session.Session{Type: session.Standard, Subject: session.Subject{ID: subject}, Permissions: session.NewPermissions("a", permission)}
		if err := forward(h, &row); err != nil {
			if len(h) != 0 {
				t.Fatalf("refused, and still set: %q", h)
			}
			return
		}
		for _, name := range forwarded {
			value := h.Get(name)
			if len(h[name]) != 1 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%s: %q", name, value)
			}
		}
		if h.Get("Session-Subject") != subject || strings.Join(row.Permissions, " ") != h.Get("Session-Permissions") || strings.Count(h.Get("Session-Permissions"), " ") != len(row.Permissions)-1 {
			t.Fatalf("%q and %q became %q", subject, row.Permissions, h)
		}
	})
}
