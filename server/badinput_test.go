package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
)

// Each bad request gets the design's error; nothing is lost, nothing valid is
// made.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	const sessions, refresh, challenge = "/api/auth/sessions", "/api/auth/sessions/refresh", "/api/auth/challenge"
	deep := strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000)
	for name, c := range map[string]struct {
		method, path, bearer, body string
		status                     int
		code                       api.Code
	}{
		"malformed":                {"POST", refresh, "", `{"refresh_token":`, 400, api.InvalidRequest},
		"empty body":               {"POST", refresh, "", ``, 400, api.InvalidRequest},
		"not an object":            {"POST", refresh, "", `"x"`, 400, api.InvalidRequest},
		"null":                     {"POST", refresh, "", `null`, 400, api.InvalidRequest},
		"repeated key":             {"POST", refresh, "", `{"refresh_token":"a","refresh_token":"b"}`, 400, api.InvalidRequest},
		"other case":               {"POST", refresh, "", `{"Refresh_Token":"a"}`, 400, api.InvalidRequest},
		"unknown field":            {"POST", refresh, "", `{"refresh_token":"a","admin":true}`, 400, api.InvalidRequest},
		"wrong type":               {"POST", refresh, "", `{"refresh_token":7}`, 400, api.InvalidRequest},
		"trailing data":            {"POST", refresh, "", `{"refresh_token":"a"}{}`, 400, api.InvalidRequest},
		"bad UTF-8":                {"POST", refresh, "", "{\"refresh_token\":\"\xff\"}", 400, api.InvalidRequest},
		"too deep":                 {"POST", refresh, "", deep, 400, api.InvalidRequest},
		"too large":                {"POST", refresh, "", `{"refresh_token":"` + strings.Repeat("a", 17000) + `"}`, 413, api.PayloadTooLarge},
		"forged refresh token":     {"POST", refresh, "", `{"refresh_token":"rt_` + strings.Repeat("A", 99) + `"}`, 401, api.RefreshFailed},
		"truncated refresh token":  {"POST", refresh, "", `{"refresh_token":"` + s.RefreshToken[:90] + `"}`, 401, api.RefreshFailed},
		"session token to refresh": {"POST", refresh, "", `{"refresh_token":"` + s.SessionToken + `"}`, 401, api.RefreshFailed},
		"refresh token to use":     {"GET", sessions, s.RefreshToken, ``, 401, api.SessionInvalid},
		"session id to use":        {"GET", sessions, s.SessionID, ``, 401, api.SessionInvalid},
		"principal to use":         {"GET", sessions, w.person.Principal(), ``, 401, api.SessionInvalid},
		"no token":                 {"GET", sessions, ``, ``, 401, api.SessionInvalid},
		"token in the URL":         {"GET", sessions + "/validate?token=" + s.SessionToken, ``, ``, 400, api.InvalidRequest},
		"access_token in the URL":  {"GET", sessions + "?access_token=x", s.SessionToken, ``, 400, api.InvalidRequest},
		"matrix parameter":         {"GET", sessions + "/validate;x", s.SessionToken, ``, 404, api.NotFound},
		"suffix":                   {"GET", sessions + "/validate/x.css", s.SessionToken, ``, 404, api.NotFound},
		"dots":                     {"GET", sessions + "/../sessions", s.SessionToken, ``, 404, api.NotFound},
		"double slash":             {"GET", "//api/auth/sessions", s.SessionToken, ``, 404, api.NotFound},
		"wrong method":             {"PUT", sessions, s.SessionToken, ``, 405, api.MethodNotAllowed},
		"options":                  {"OPTIONS", sessions, ``, ``, 405, api.MethodNotAllowed},
		"bad max_age":              {"GET", sessions + "/validate?max_age=-1", s.SessionToken, ``, 400, api.InvalidRequest},
		"bad include":              {"DELETE", sessions + "?include=all", s.SessionToken, ``, 400, api.InvalidRequest},
		"nothing to log out":       {"POST", sessions + "/logout", ``, ``, 400, api.InvalidRequest},
		"unknown logout":           {"POST", sessions + "/logout", `nonsense`, ``, 200, ``},
		"nothing to change":        {"PATCH", sessions + "/current", s.SessionToken, `{}`, 400, api.InvalidRequest},
		"label with an escape":     {"PATCH", sessions + "/current", s.SessionToken, `{"device_label":"\u001b[31m"}`, 400, api.InvalidRequest},
		"label too long":           {"PATCH", sessions + "/current", s.SessionToken, `{"device_label":"` + strings.Repeat("x", 65) + `"}`, 400, api.InvalidRequest},
		"no credential":            {"POST", sessions, ``, `{}`, 401, api.CredentialInvalid},
		"not a credential":         {"POST", sessions, `nonsense`, `{}`, 401, api.CredentialInvalid},
		"credential twice":         {"POST", sessions, `a`, `{"credential":"b"}`, 400, api.InvalidRequest},
		"credential too long":      {"POST", sessions, strings.Repeat("A", 8001), `{}`, 401, api.CredentialInvalid},
		"foreign permission":       {"POST", sessions, `a`, `{"permissions":["read:all_profiles"]}`, 403, api.PermissionDenied},
		"negative duration":        {"POST", sessions, `a`, `{"duration":-1}`, 400, api.InvalidRequest},
		"fractional duration":      {"POST", sessions, `a`, `{"duration":1.5}`, 400, api.InvalidRequest},
		"short duration":           {"POST", sessions, `a`, `{"duration":5}`, 400, api.InvalidRequest},
		"anonymous":                {"POST", sessions, `a`, `{"session_type":"anonymous"}`, 503, api.Unavailable},
		"professional":             {"POST", sessions, `a`, `{"session_type":"professional"}`, 401, api.CredentialInvalid},
		"no such type":             {"POST", sessions, `a`, `{"session_type":"root"}`, 400, api.InvalidRequest},
		"no such transport":        {"POST", sessions, `a`, `{"transport":"pigeon"}`, 400, api.InvalidRequest},
		"no such chain":            {"POST", challenge, ``, `{"chain":"dogecoin","address":"x"}`, 400, api.InvalidRequest},
		"nobody's address":         {"POST", challenge, ``, `{"chain":"ethereum","address":"0x0000000000000000000000000000000000000000"}`, 400, api.InvalidRequest},
		"a canister":               {"POST", challenge, ``, `{"chain":"icp","address":"rdmx6-jaaaa-aaaaa-aaadq-cai"}`, 400, api.InvalidRequest},
		"anonymous principal":      {"POST", challenge, ``, `{"chain":"icp","address":"2vxsx-fae"}`, 400, api.InvalidRequest},
		"upper-case principal":     {"POST", challenge, ``, `{"chain":"icp","address":"` + strings.ToUpper(w.person.Principal()) + `"}`, 400, api.InvalidRequest},
		"reauthenticate without":   {"POST", challenge, ``, `{"purpose":"reauthenticate"}`, 401, api.SessionInvalid},
		"no such purpose":          {"POST", challenge, ``, `{"purpose":"enrich"}`, 400, api.InvalidRequest},
		"nowhere":                  {"GET", "/admin", ``, ``, 404, api.NotFound},
		"metrics in public":        {"GET", "/metrics", ``, ``, 404, api.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			var body any
			if c.body != "" {
				body = c.body
			}
			a := w.call(c.method, c.path, c.bearer, body)
			w.want(a, c.status, c.code)
			if strings.Contains(string(a.Body), s.SessionToken) || strings.Contains(string(a.Body), s.RefreshToken) {
				t.Error("a secret was echoed")
			}
		})
	}
	w.t = t
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""} {
		req, _ := http.NewRequest("POST", w.url+refresh, strings.NewReader(`{"refresh_token":"`+s.RefreshToken+`"}`))
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		w.want(w.do(req), 415, api.UnsupportedMediaType)
	}
	two, _ := http.NewRequest("GET", w.url+sessions+"/validate", nil)
	two.Header["Authorization"] = []string{"Bearer " + s.SessionToken, "Bearer " + s.SessionToken}
	w.want(w.do(two), 400, api.InvalidRequest)

	w.want(w.validate(s.SessionToken), 200, "")
	w.want(w.refresh(s.RefreshToken), 200, "")
	if log := w.log.String(); strings.Contains(log, s.SessionToken) || strings.Contains(log, s.RefreshToken) || strings.Contains(log, "panic") {
		t.Error("the log holds a secret, or a panic")
	}
}

// A credential that was altered in any field, or made for another origin, type
// or server, opens nothing.
func TestAlteredChallenges(t *testing.T) {
	w := newWorld(t)
	open := func(credential string) map[string]any {
		b, err := base64.RawURLEncoding.DecodeString(credential)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	text := func() string { return open(w.credential(w.person))["message"].(string) }
	other := newWorld(t)
	for name, alter := range map[string]func(string) string{
		"another domain":   func(s string) string { return strings.Replace(s, "sessions.example.org", "evil.example.org", 1) },
		"another URI":      func(s string) string { return strings.Replace(s, "URI: https://sessions", "URI: https://evil", 1) },
		"another type":     func(s string) string { return strings.ReplaceAll(s, "standard", "professional") },
		"another chain ID": func(s string) string { return strings.Replace(s, "icp:737b", "icp:837b", 1) },
		"a longer life":    func(s string) string { return strings.Replace(s, "10:05:00", "10:59:00", 1) },
		"another nonce": func(s string) string {
			i := strings.Index(s, "Nonce: ")
			return s[:i+7] + strings.Repeat("a", 64) + s[i+71:]
		},
		"another statement": func(s string) string {
			return strings.Replace(s, "Sign in to MentalVerse", "Transfer everything to me", 1)
		},
		"an extra resource": func(s string) string { return s + "\n- urn:mentalverse:session:professional" },
		"a line break":      func(s string) string { return strings.Replace(s, "\nVersion", "\r\nVersion", 1) },
		"a trailing line":   func(s string) string { return s + "\n" },
		"another server's":  func(string) string { c := other; return open(c.credential(w.person))["message"].(string) },
	} {
		t.Run(name, func(t *testing.T) {
			credential, err := w.person.Credential(alter(text())) // genuinely signed
			if err != nil {
				t.Fatal(err)
			}
			a := w.call("POST", "/api/auth/sessions", credential, nil)
			if a.Status != 401 || a.code() != api.ChallengeInvalid && a.code() != api.CredentialInvalid {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	// The type of the request must be the challenge's, and the signer its account.
	stranger := w.newPerson()
	credential, err := stranger.Credential(text())
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.call("POST", "/api/auth/sessions", credential, nil), 401, api.CredentialInvalid)
}
