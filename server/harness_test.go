package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

// origin is what the texts and tokens of a test name; the Host header of its
// requests is the listener's, and must not matter.
const origin = "https://sessions.example.org"

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// world is a running server on a fake clock, and a person with a wallet.
type world struct {
	t       testing.TB
	url     string
	metrics string
	clock   *sessiontest.Clock
	data    string
	person  *icp.Identity
	log     *bytes.Buffer
	stop    func()
	router  routers.Router
	acts    routers.Router // of the operator listener
	many    bool           // too many calls to hold each answer against the description

	mark  func(*http.Request)         // adds to each request
	watch func(*http.Request, answer) // sees what came of it
}

func newWorld(t testing.TB, change ...func(*server.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: sessiontest.NewClock(start), data: t.TempDir()}
	w.person = w.newPerson()
	w.serve(change...)
	return w
}

func (w *world) newPerson() *icp.Identity {
	w.t.Helper()
	id, err := icp.NewIdentity()
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// serve starts the server over the world's data folder; stop ends it.
func (w *world) serve(change ...func(*server.Config)) {
	w.t.Helper()
	c := server.DefaultConfig()
	c.Listen, c.OperatorListen, c.PublicURL = "127.0.0.1:0", "127.0.0.1:0", origin
	c.Data, c.Now, c.LogLevel = w.data, w.clock.Now, "debug"
	c.Anonymous.Artifacts = server.Unpacked
	off := false
	c.Limits.Enabled = &off // but for the tests of the limits
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan server.Addresses, 1)
	done := make(chan error, 1)
	w.log = new(bytes.Buffer)
	go func() { done <- server.Run(ctx, c, w.log, func(a server.Addresses) { ready <- a }) }()
	select {
	case at := <-ready:
		w.url, w.metrics = "http://"+at.Public, "http://"+at.Operator+"/metrics"
	case err := <-done:
		cancel()
		w.t.Fatalf("the server did not start: %v", err)
	}
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("the server ended with %v", err)
		}
	}
	w.t.Cleanup(func() { w.stop() })
	w.describe()
}

// describe reads the served descriptions; every answer is checked against its
// listener's.
func (w *world) describe() {
	w.t.Helper()
	w.router, w.acts = w.description(w.url), w.description(w.operators())
}

// operators is the operator listener's origin.
func (w *world) operators() string { return strings.TrimSuffix(w.metrics, "/metrics") }

func (w *world) description(at string) routers.Router {
	w.t.Helper()
	res, err := http.Get(at + "/openapi.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := doc.Validate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		w.t.Fatal(err)
	}
	return router
}

// large is how often a large test repeats something: n times, or a fifth as often
// under the race detector, which sees a race after fewer. make test runs these
// tests again without it, whole.
func large(n int) int {
	if server.RaceEnabled {
		return n / 5
	}
	return n
}

// answer is what a call came to.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// code is the error's code, "" on success.
func (a answer) code() api.Code {
	var e api.Envelope[json.RawMessage]
	if json.Unmarshal(a.Body, &e) != nil || e.Error == nil {
		return ""
	}
	return e.Error.Code
}

func (a answer) reason() string {
	var e api.Envelope[json.RawMessage]
	if json.Unmarshal(a.Body, &e) != nil || e.Error == nil || e.Error.Details == nil {
		return ""
	}
	return e.Error.Details.Reason
}

// data opens a successful answer.
func data[T any](t testing.TB, a answer) T {
	t.Helper()
	var e api.Envelope[T]
	if err := json.Unmarshal(a.Body, &e); err != nil || !e.Success || e.Data == nil {
		t.Fatalf("not a success: %d %s", a.Status, a.Body)
	}
	return *e.Data
}

// call makes one call and checks its answer against the description. body is
// marshalled, unless it is text already.
func (w *world) call(method, path, bearer string, body any) answer {
	w.t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			w.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, w.url+path, bytes.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return w.do(req)
}

func (w *world) do(req *http.Request) answer {
	w.t.Helper()
	a, err := w.try(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// try is do for requests that may not come through.
func (w *world) try(req *http.Request) (answer, error) {
	w.t.Helper()
	if w.mark != nil {
		w.mark(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{res.StatusCode, res.Header, text}
	if w.watch != nil {
		w.watch(req, a)
	}
	w.check(req, a)
	return a, nil
}

// check holds an answer against the description, where it knows the call.
func (w *world) check(req *http.Request, a answer) {
	w.t.Helper()
	if w.many {
		return
	}
	if a.Status >= 500 && a.Status != http.StatusServiceUnavailable {
		w.t.Errorf("%s %s: %d %s", req.Method, req.URL.Path, a.Status, a.Body)
	}
	router := w.router
	if strings.HasPrefix(req.URL.Path, api.OperatorPath) {
		router = w.acts
	}
	route, params, err := router.FindRoute(req)
	if err != nil {
		return
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 a.Status, Header: a.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(a.Body)
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		w.t.Errorf("%s %s: the answer is not as described: %v\n%s", req.Method, req.URL.Path, err, a.Body)
	}
}

// credential answers a fresh challenge as the person.
func (w *world) credential(who *icp.Identity) string {
	w.t.Helper()
	c := data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{Chain: "icp", Address: who.Principal(), SessionType: "standard"}))
	credential, err := who.Credential(c.Message)
	if err != nil {
		w.t.Fatal(err)
	}
	return credential
}

// signIn opens a session for the person.
func (w *world) signIn(req api.CreateRequest) api.Tokens {
	w.t.Helper()
	a := w.call("POST", "/api/auth/sessions", w.credential(w.person), req)
	if a.Status != http.StatusCreated {
		w.t.Fatalf("sign-in: %d %s", a.Status, a.Body)
	}
	return data[api.Tokens](w.t, a)
}

func (w *world) validate(token string) answer {
	w.t.Helper()
	return w.call("GET", "/api/auth/sessions/validate", token, nil)
}

func (w *world) refresh(token string) answer {
	w.t.Helper()
	return w.call("POST", "/api/auth/sessions/refresh", "", api.RefreshRequest{RefreshToken: token})
}

// want fails unless the answer has the status and the code.
func (w *world) want(a answer, status int, code api.Code) {
	w.t.Helper()
	if a.Status != status || a.code() != code {
		w.t.Errorf("got %d %q, want %d %q: %s", a.Status, a.code(), status, code, a.Body)
	}
}
