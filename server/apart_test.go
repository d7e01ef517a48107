package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

const quiet = "https://quiet.example.org"

// Under an origin of their own anonymous sessions may live in cookies, and
// nobody else's session may live at all.
func TestAnonymousSessionsHaveAnOriginOfTheirOwn(t *testing.T) {
	w := newWorld(t, openGroup, func(c *server.Config) { c.AnonymousOrigin = quiet })
	ada := w.newMember()
	ada.enrol()
	credential := func() string {
		text, err := ada.credential(w.anonymousChallenge()).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	j := newJar(w)
	j.origin = quiet
	there := func(method, path, body string) *http.Request {
		req := j.request(method, path, body)
		req.Host = strings.TrimPrefix(quiet, "https://")
		return req
	}

	a := j.do(there("POST", "/api/auth/sessions", `{"session_type":"anonymous","transport":"cookie","activity":"reported","credential":"`+credential()+`"}`))
	w.want(a, 201, "")
	tokens := data[api.Tokens](t, a)
	if tokens.SessionToken != "" || len(j.cookies) != 2 {
		t.Errorf("%s, %d cookies", a.Body, len(j.cookies))
	}
	j.csrf = tokens.CSRFToken
	w.want(j.do(there("GET", "/api/auth/sessions/current", "")), 200, "")
	w.want(j.do(there("POST", "/api/auth/sessions/refresh", `{}`)), 200, "")
	w.want(j.do(there("GET", "/api/auth/anonymous/group", "")), 200, "") // an anonymous cookie names nobody
	w.want(j.do(there("POST", "/api/auth/challenge", `{"session_type":"anonymous"}`)), 200, "")

	// Nobody who is known here may be there.
	w.want(j.do(there("POST", "/api/auth/challenge", `{"chain":"icp","address":"`+ada.wallet.Principal()+`"}`)), 403, api.OriginDenied)
	known := there("POST", "/api/auth/sessions", `{"transport":"cookie"}`)
	known.Header.Set("Authorization", "Bearer "+w.credential(ada.wallet))
	w.want(j.do(known), 403, api.OriginDenied)
	bare := newJar(w)
	bare.origin = quiet
	for _, call := range [][2]string{{"GET", "/api/auth/sessions/validate"}, {"GET", "/api/auth/sessions/current"}, {"DELETE", "/api/auth/anonymous/members"}} {
		req := bare.request(call[0], call[1], "")
		req.Host = strings.TrimPrefix(quiet, "https://")
		req.Header.Set("Authorization", "Bearer "+ada.token)
		w.want(bare.do(req), 403, api.OriginDenied)
	}
	standard := data[api.Tokens](t, w.call("POST", "/api/auth/sessions", w.credential(ada.wallet), api.CreateRequest{Activity: "reported"}))
	req := bare.request("POST", "/api/auth/sessions/refresh", `{"refresh_token":"`+standard.RefreshToken+`"}`)
	req.Host = strings.TrimPrefix(quiet, "https://")
	w.want(bare.do(req), 403, api.OriginDenied)

	// The two origins are strangers to each other.
	for _, c := range [][2]string{{quiet, "sessions.example.org"}, {origin, "quiet.example.org"}} {
		req := there("POST", "/api/auth/sessions/logout", "")
		req.Host = c[1]
		req.Header.Set("Origin", c[0])
		w.want(w.do(req), 403, api.OriginDenied)
		req = bare.request("GET", "/api/auth/anonymous/group", "")
		req.Host = c[1]
		req.Header.Set("Origin", c[0])
		if got := w.do(req).Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s may read %s", c[0], c[1])
		}
	}
	w.want(j.do(there("POST", "/api/auth/sessions/logout", "")), 200, "")
	if len(j.cookies) != 0 {
		t.Error("the cookies stayed")
	}
}

func TestSettingsOfAnonymousSessionsAreChecked(t *testing.T) {
	zero, many := 0, 1<<21
	for name, c := range map[string]struct {
		change func(*server.Config)
		want   string
	}{
		"no host of its own": {func(c *server.Config) { c.AnonymousOrigin = origin }, "anonymous_origin"},
		"another port":       {func(c *server.Config) { c.AnonymousOrigin = origin + ":8443" }, "anonymous_origin"},
		"a path":             {func(c *server.Config) { c.AnonymousOrigin = quiet + "/a" }, "anonymous_origin"},
		"plain http":         {func(c *server.Config) { c.AnonymousOrigin = "http://quiet.example.org" }, "anonymous_origin"},
		"not enabled":        {func(c *server.Config) { c.AnonymousOrigin = quiet; c.Anonymous.Enabled = false }, "anonymous_origin"},
		"a name with spaces": {func(c *server.Config) { c.Anonymous.ServiceID = "a b" }, "service_id"},
		"an epoch of hours":  {func(c *server.Config) { c.Anonymous.Epoch = 3600e9 }, "epoch"},
		"batches of none":    {func(c *server.Config) { c.Anonymous.MinBatch = &zero }, "min_batch"},
		"no members":         {func(c *server.Config) { c.Anonymous.MinMembers = &zero }, "min_members"},
		"too many members":   {func(c *server.Config) { c.Anonymous.MinMembers = &many }, "min_members"},
		"no sign-ins":        {func(c *server.Config) { c.Limits.PseudonymPerMinute = 0 }, "pseudonym_per_minute"},
		"tokens too short":   {func(c *server.Config) { c.Policies.Anonymous.TokenLife = 300e9 }, "token life"},
	} {
		config := server.DefaultConfig()
		config.PublicURL = origin
		c.change(&config)
		if err := config.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Another name, epoch or key would make other people of the members: the server
// does not start with it.
func TestAChangedNameIsRefusedAtStart(t *testing.T) {
	w := newWorld(t, openGroup)
	w.newMember().enrol()
	w.stop()
	c := server.DefaultConfig()
	c.Listen, c.OperatorListen, c.PublicURL, c.Data, c.Now = "127.0.0.1:0", "127.0.0.1:0", origin, w.data, w.clock.Now
	c.Anonymous.ServiceID = "other.example.org"
	if err := server.Run(t.Context(), c, w.log, nil); err == nil || !strings.Contains(err.Error(), "service id") {
		t.Errorf("%v", err)
	}
	w.serve(openGroup)
}

// Without anonymous sessions there is no trace of them.
func TestAnonymousSessionsCanBeLeftOut(t *testing.T) {
	w := newWorld(t, func(c *server.Config) { c.Anonymous.Enabled = false })
	w.want(w.call("GET", "/api/auth/anonymous/group", "", nil), 404, api.NotFound)
	w.want(w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{SessionType: "anonymous"}), 400, api.InvalidRequest)
	w.want(w.call("POST", "/api/auth/sessions", "AAAA", api.CreateRequest{SessionType: "anonymous"}), 400, api.InvalidRequest)
	s := w.signIn(api.CreateRequest{})
	w.want(w.call("POST", "/api/auth/challenge", s.SessionToken, api.ChallengeRequest{SessionType: "anonymous", Purpose: "enrol"}), 400, api.InvalidRequest)
	w.want(w.operator("POST", "/operator/v1/subjects/anon_x/block", w.operatorKey(), `{"reason":"abuse"}`), 400, api.InvalidRequest)
}
