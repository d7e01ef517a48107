package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/token"
)

const (
	issuer = "https://sessions.example"
	key    = "svc_test_key"
)

// service is a session service in memory, as its description has it. Its clock is
// the test's.
type service struct {
	mu       sync.Mutex
	keys     []*token.Key // the last one signs
	sessions map[token.ID]*row
	events   []api.FeedEvent
	first    int // sequence of the oldest event that is kept
	epoch    int
	nonce    int
	wake     chan struct{} // closed and replaced with every event
	more     int           // at most so many events in an answer; 0: as many as are allowed
	asked    map[string]int
	reported []api.Seen
	afters   []string // of validates
}

type row struct {
	claims token.Claims // of the newest token
	minGen uint32
	idle   time.Time
	end    time.Time
	ended  string // reason
}

func newService(keys ...*token.Key) *service {
	return &service{keys: keys, sessions: map[token.ID]*row{}, wake: make(chan struct{}), asked: map[string]int{}}
}

func newKey(t testing.TB, alg token.Algorithm) *token.Key {
	t.Helper()
	k, err := token.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// open makes a session and its first token.
func (s *service) open(permissions ...string) (token.ID, string) {
	return s.openKind(token.Standard, "standard", permissions...)
}

func (s *service) openKind(kind token.Kind, name string, permissions ...string) (token.ID, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Second)
	id := token.NewID(kind, now)
	slices.Sort(permissions)
	r := &row{minGen: 1, idle: now.Add(35 * time.Minute), end: now.Add(24 * time.Hour)}
	r.claims = token.Claims{
		Issuer: issuer, Subject: "user_1", SessionID: id, Generation: 1, IssuedAt: now, ExpiresAt: now.Add(12 * time.Hour), AuthTime: now,
		Scope: permissions, Type: name,
	}
	s.sessions[id] = r
	return id, s.sign(r.claims)
}

func (s *service) sign(c token.Claims) string {
	raw, err := s.keys[len(s.keys)-1].Sign(c)
	if err != nil {
		panic(err)
	}
	return raw
}

// refresh steps a session, and returns its new token.
func (s *service) refresh(id token.ID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sessions[id]
	r.claims.Generation++
	r.claims.IssuedAt = time.Now().UTC().Truncate(time.Second)
	return s.sign(r.claims)
}

// narrow steps a session to other permissions: its earlier tokens are dead.
func (s *service) narrow(id token.ID, permissions ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sessions[id]
	slices.Sort(permissions)
	r.claims.Generation++
	r.minGen, r.claims.Scope = r.claims.Generation, permissions
	s.tell(api.FeedEvent{Event: "session.updated", SessionID: id.String(), MinGen: r.minGen})
	return s.sign(r.claims)
}

// revoke ends a session, and acknowledges it.
func (s *service) revoke(id token.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[id].ended = "revoked"
	s.tell(api.FeedEvent{Event: "session.ended", SessionID: id.String(), Reason: "revoked"})
}

// cut ends all sessions by one rule.
func (s *service) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.sessions {
		r.ended = "revoked"
	}
	s.tell(api.FeedEvent{Event: "sessions.cut"})
}

// rotate puts another key in force; old keys are dropped if asked.
func (s *service) rotate(k *token.Key, drop bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if drop {
		s.keys = nil
	}
	s.keys = append(slices.Clone(s.keys), k)
	s.tell(api.FeedEvent{Event: "keys.changed"})
}

// pass lets so many events happen that nobody is told of.
func (s *service) pass(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, make([]api.FeedEvent, n)...)
	s.ring()
}

// restore makes every position unknown.
func (s *service) restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.first += len(s.events)
	s.events = nil
	s.ring()
}

func (s *service) tell(e api.FeedEvent) {
	s.events = append(s.events, e)
	s.ring()
}

func (s *service) ring() {
	close(s.wake)
	s.wake = make(chan struct{})
}

func (s *service) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	s.mu.Unlock()
	if r.URL.Path == "/.well-known/jwks.json" {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Header().Set("Content-Type", "application/jwk-set+json")
		keys := s.keys
		if slices.ContainsFunc(keys, func(k *token.Key) bool { return k.Algorithm() == token.HS256 }) {
			keys = nil // the service publishes none then
		}
		w.Write(token.JWKS(keys...))
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+key {
		refuse(w, 401, api.CredentialInvalid)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /service/v1/feed":
		s.feed(w, r)
	case "POST /service/v1/validate":
		s.validate(w, r)
	case "POST /service/v1/reports":
		s.report(w, r)
	default:
		refuse(w, 404, api.NotFound)
	}
}

func refuse(w http.ResponseWriter, status int, code api.Code) {
	answer(w, status, api.Envelope[api.Empty]{Error: &api.Error{Code: code, Message: "no"}})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func give[T any](w http.ResponseWriter, v T) {
	answer(w, 200, api.Envelope[T]{Success: true, Data: &v})
}

// feed answers as the description has it.
func (s *service) feed(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	timer := time.NewTimer(time.Duration(wait) * time.Second)
	defer timer.Stop()
	for {
		s.mu.Lock()
		from, known := s.place(r.URL.Query().Get("after"))
		wake := s.wake
		over := wait == 0 || time.Since(began) >= time.Duration(wait)*time.Second
		if over || !known || from < s.first+len(s.events) {
			out := s.batch(from, known)
			s.mu.Unlock()
			out.HeldMS = time.Since(began).Milliseconds()
			give(w, out)
			return
		}
		s.mu.Unlock()
		select {
		case <-wake:
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *service) place(after string) (int, bool) {
	parts := strings.Split(after, ".")
	if len(parts) != 3 || parts[0] != fmt.Sprint("e", s.epoch) {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return n, err == nil && n >= s.first
}

func (s *service) batch(from int, known bool) api.Feed {
	out := api.Feed{Gap: !known, Events: []api.FeedEvent{}}
	if !known {
		from = s.first + len(s.events)
	}
	out.Events = append(out.Events, s.events[from-s.first:]...)
	most := api.MaxEvents
	if s.more > 0 {
		most = s.more
	}
	if len(out.Events) > most {
		out.Events, out.More = out.Events[:most], true
	}
	at := from + len(out.Events)
	out.Events = slices.DeleteFunc(out.Events, func(e api.FeedEvent) bool { return e.Event == "" })
	s.nonce++
	out.Position = fmt.Sprintf("e%d.%d.%d", s.epoch, at, s.nonce)
	return out
}

func (s *service) validate(w http.ResponseWriter, r *http.Request) {
	var in api.ServiceValidateRequest
	body, _ := io.ReadAll(r.Body)
	if api.Unmarshal(body, &in) != nil {
		refuse(w, 400, api.InvalidRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.afters = append(s.afters, in.After)
	no := func(code api.Code, reason string) {
		e := &api.Error{Code: code, Message: "no"}
		if reason != "" {
			e.Details = &api.ErrorDetails{Reason: reason}
		}
		answer(w, 401, api.Envelope[api.Invalidity]{Data: &api.Invalidity{Reason: code}, Error: e})
	}
	claims, err := token.NewKeySet(issuer, s.keys...).Genuine(in.Token, func(token.ID) bool { return false })
	row := s.sessions[claims.SessionID]
	now := time.Now()
	switch {
	case err != nil, row == nil, claims.Generation > row.claims.Generation, row.ended == "revoked":
		no(api.SessionInvalid, "")
	case row.ended != "":
		no(api.SessionExpired, row.ended)
	case claims.Generation < row.minGen, claims.Generation+1 < row.claims.Generation, claims.Check(now) != nil:
		no(api.SessionExpired, "token_expired")
	case !now.Before(row.idle):
		no(api.SessionExpired, "idle_timeout")
	default:
		at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
		give(w, api.ServiceValidation{
			Validation: api.Validation{
				Valid: true, ExpiresAt: at(row.claims.ExpiresAt), Permissions: row.claims.Scope, SessionID: claims.SessionID.String(),
				SessionType: row.claims.Type, UserID: row.claims.Subject, AuthTime: at(row.claims.AuthTime), IdleExpiresAt: at(row.idle), SessionExpiresAt: at(row.end),
			},
			Generation: row.claims.Generation, MinGen: row.minGen,
		})
	}
}

func (s *service) report(w http.ResponseWriter, r *http.Request) {
	var in api.Report
	body, _ := io.ReadAll(r.Body)
	if api.Unmarshal(body, &in) != nil || len(in.Seen) < 1 || len(in.Seen) > api.MaxSeen {
		refuse(w, 400, api.InvalidRequest)
		return
	}
	s.mu.Lock()
	s.reported = append(s.reported, in.Seen...)
	s.mu.Unlock()
	give(w, api.Reported{Accepted: len(in.Seen)})
}

// fault is what the network does to one call.
type fault struct {
	before, after time.Duration // to the request and to the answer
	cut           bool          // the answer never comes: an error after the two
	hang          bool          // nothing comes
	change        func(*http.Response)
}

// wire carries calls to the service without a network.
type wire struct {
	to http.Handler

	mu    sync.Mutex
	fault func(path string) fault // nil: none
}

func (w *wire) set(f func(path string) fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

// serve puts another service behind the wire.
func (w *wire) serve(h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = h
}

var errCut = errors.New("connection reset")

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	var f fault
	if w.fault != nil {
		f = w.fault(r.URL.Path)
	}
	to := w.to
	w.mu.Unlock()
	ctx := r.Context()
	if f.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := pass(ctx, f.before); err != nil {
		return nil, err
	}
	// The service works on when nobody waits for it, but for the feed.
	got := make(chan *http.Response, 1)
	in := r.Clone(ctx)
	if r.Method == http.MethodPost {
		in = r.Clone(context.WithoutCancel(ctx))
	}
	go func() {
		rec := httptest.NewRecorder()
		to.ServeHTTP(rec, in)
		got <- rec.Result()
	}()
	select {
	case res := <-got:
		if err := pass(ctx, f.after); err != nil {
			return nil, err
		}
		if f.cut {
			return nil, errCut
		}
		if f.change != nil {
			f.change(res)
		}
		return res, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func pass(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// body makes an answer say something else.
func body(status int, kind, text string) func(*http.Response) {
	return func(r *http.Response) {
		r.StatusCode, r.Header = status, http.Header{"Content-Type": {kind}}
		r.Body = io.NopCloser(strings.NewReader(text))
	}
}

// world is a service, a network and a client of it.
type world struct {
	*service
	t    testing.TB
	wire *wire
	c    *client.Client
	log  *locked
}

// newWorld returns when the client hears the feed.
func newWorld(t testing.TB, opts ...client.Option) *world {
	t.Helper()
	w := startWorld(t, newService(newKey(t, token.EdDSA)), opts...)
	if err := w.c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func startWorld(t testing.TB, s *service, opts ...client.Option) *world {
	t.Helper()
	return startWorldWith(t, s, nil, opts...)
}

// startWorldWith begins on a network that has this fault.
func startWorldWith(t testing.TB, s *service, f func(string) fault, opts ...client.Option) *world {
	t.Helper()
	w := &world{service: s, t: t, wire: &wire{to: s, fault: f}, log: new(locked)}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	c, err := client.New(issuer, key, append([]client.Option{client.Transport(w.wire), client.Logger(log)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	t.Cleanup(func() { c.Close() })
	return w
}

// locked is a buffer that many may use.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// told are the sightings that were reported.
func (s *service) told() []api.Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reported)
}

// claimsOf is what the session's newest token says.
func (s *service) claimsOf(id token.ID) token.Claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id].claims
}

func (w *world) verify(raw string, conditions ...client.Condition) error {
	_, err := w.c.Verify(w.t.Context(), raw, conditions...)
	return err
}

// want fails unless the token comes to this, nil being valid.
func (w *world) want(raw string, want error, conditions ...client.Condition) {
	w.t.Helper()
	if err := w.verify(raw, conditions...); !errors.Is(err, want) || (err == nil) != (want == nil) {
		w.t.Errorf("got %v, want %v", err, want)
	}
}

const (
	feedPath     = "/service/v1/feed"
	validatePath = "/service/v1/validate"
	reportsPath  = "/service/v1/reports"
	keysPath     = "/.well-known/jwks.json"
)

// only makes a fault of one path.
func only(path string, f fault) func(string) fault {
	return func(p string) fault {
		if p == path {
			return f
		}
		return fault{}
	}
}

func all(f fault) func(string) fault { return func(string) fault { return f } }

// tokens are the sessions' ids, in any order.
func (s *service) ids() []token.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.sessions))
}
