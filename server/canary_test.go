package server_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

// panicking is a verifier that panics, when it is told to, with the credential
// itself in its hand.
type panicking struct {
	session.Verifier
	now atomic.Bool
}

func (p *panicking) Open(credential string) (session.Presented, error) {
	if p.now.Load() {
		panic("cannot read " + credential)
	}
	return p.Verifier.Open(credential)
}

func newPanicking() *panicking {
	return &panicking{Verifier: wallet.New(wallet.Config{Domain: "sessions.example.org", URI: origin + "/api/auth/sessions", Service: "Example"}, icp.Chain())}
}

// AUD-02: all secrets of all flows, right and wrong ones, in five spellings, in
// every place that an operator or a stranger can read: none is found.
func TestNoSecretReachesAnySink(t *testing.T) {
	const sessions = "/api/auth/sessions"
	verifier := newPanicking()
	operator := freeAddress(t)
	w := newWorld(t, func(c *server.Config) { c.Verifier, c.OperatorListen = verifier, operator })
	h := newHunt()
	var sinks []string
	ask := func(method, path, bearer string, body any) answer {
		a := w.call(method, path, bearer, body)
		if a.Status >= 400 {
			sinks = append(sinks, string(a.Body))
		}
		for name, values := range a.Header {
			if name != "Set-Cookie" {
				sinks = append(sinks, strings.Join(values, "\n"))
			}
		}
		return a
	}
	tail := func(s string) string { return s[len(s)-43:] }

	credential := w.credential(w.person)
	h.add(tail(credential))
	s := data[api.Tokens](t, ask("POST", sessions, credential, nil))
	h.pair(s)
	ask("POST", sessions, credential, nil) // used up
	old := s
	s = data[api.Tokens](t, ask("POST", sessions+"/refresh", "", api.RefreshRequest{RefreshToken: s.RefreshToken}))
	h.pair(s)
	s = w.reauthenticate(s.SessionToken)
	h.pair(s)
	s = data[api.Tokens](t, ask("PATCH", sessions+"/current", s.SessionToken, `{"permissions":[]}`))
	h.pair(s)
	ask("GET", sessions+"/validate", old.SessionToken, nil)
	ask("POST", sessions+"/refresh", "", api.RefreshRequest{RefreshToken: old.RefreshToken})
	ask("GET", sessions+"/validate?permission=x", s.SessionToken, nil)

	// Secrets in wrong places, and what only looks like one.
	canary := "canary0" + strings.Repeat("Zq9xW4", 6)
	h.add(canary)
	for _, secret := range []string{canary, s.SessionToken, s.RefreshToken, credential} {
		ask("GET", sessions+"/validate", secret+"x", nil)
		ask("GET", sessions+"/validate?token="+secret, "", nil)
		ask("GET", sessions+"/validate?permission="+secret+"&max_age="+secret, s.SessionToken, nil)
		ask("GET", sessions+"/"+secret, "", nil)
		ask("DELETE", sessions+"/"+secret, s.SessionToken, nil)
		ask("POST", sessions, secret, `{"duration":"`+secret+`"}`)
		ask("POST", sessions, secret+"x", `{"`+secret+`":1}`)
		ask("POST", sessions, "", api.CreateRequest{Credential: secret, Transport: secret})
		ask("POST", sessions+"/refresh", secret, `{"refresh_token":"`+secret)
		ask("POST", sessions+"/refresh", "", api.RefreshRequest{RefreshToken: secret + "x"})
		ask("POST", sessions+"/logout", secret+"x", nil)
		ask("POST", "/api/auth/challenge", "", api.ChallengeRequest{Chain: secret, Address: secret, Purpose: secret})
		ask(http.MethodPost, sessions+"/reauthenticate", s.SessionToken, api.ReauthenticateRequest{Credential: secret})
		j := newJar(w)
		j.cookies["__Host-s"], j.cookies["__Host-r"], j.csrf = secret, secret, secret
		sinks = append(sinks, string(j.call("POST", sessions+"/refresh", "").Body))
	}
	j := newJar(w)
	proof := j.signIn().CSRFToken
	h.pair(api.Tokens{SessionToken: j.cookies["__Host-s"], RefreshToken: j.cookies["__Host-r"]})
	j.call("POST", sessions+"/refresh", "")
	h.pair(api.Tokens{SessionToken: j.cookies["__Host-s"], RefreshToken: j.cookies["__Host-r"]})
	j.csrf = proof + "x"
	j.call("POST", sessions+"/logout", "")
	sinks = append(sinks, j.bodies...) // with the proof, without the cookies' secrets
	ticket := data[api.SocketTicket](t, ask("POST", socketPath+"/ticket", s.SessionToken, nil)).Ticket
	h.add(tail(ticket))
	for _, want := range []int{101, 401} {
		if _, status := w.dialSocket(ticket); status != want {
			t.Errorf("the ticket is answered %d", status)
		}
	}
	ask("POST", sessions+"/logout", s.SessionToken, nil)

	verifier.now.Store(true)
	last := w.credential(w.person)
	h.add(tail(last))
	w.want(ask("POST", sessions, last, nil), 503, api.Unavailable)
	verifier.now.Store(false)

	for _, path := range []string{"/metrics", "/healthz", "/debug/pprof/goroutine?debug=2"} {
		res, err := http.Get("http://" + operator + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		sinks = append(sinks, string(text))
	}
	w.stop()
	master, err := os.ReadFile(filepath.Join(w.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	h.add(strings.TrimSpace(string(master)))
	log := w.log.String()
	if !strings.Contains(log, "panic") || !strings.Contains(log, `"level":"DEBUG"`) && !strings.Contains(log, "level=DEBUG") {
		t.Error("the log does not tell of the panic, or not of everything else")
	}
	sinks = append(sinks, log)
	size := 0
	for _, sink := range sinks {
		size += len(sink)
		if found := h.find([]byte(sink)); found != "" {
			t.Errorf("a secret in the open: %q", found)
		}
	}
	h.add(proof) // is in the answers to its own browser, so that those were searched
	if h.find([]byte(strings.Join(j.bodies, ""))) == "" {
		t.Error("the hunt finds nothing at all")
	}
	if found := h.find([]byte(log)); found != "" {
		t.Errorf("a proof in the log: %q", found)
	}
	t.Logf("%d secrets, %d sinks of %d bytes", h.secrets, len(sinks), size)
}
