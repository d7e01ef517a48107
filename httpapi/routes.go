package httpapi

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// access says what of a request's secrets a route looks at. A route without
// one does not build a mux.
type access int

const (
	anyone     access = iota + 1 // none
	credential                   // Authorization holds a credential; stale cookies are ignored
	holder                       // a session's secrets, by header or by cookie
	apart                        // none, and a request that carries a session's is refused
	socketed                     // a holder's cookies, of a handshake that every page can send: it says where it comes from
	operator                     // the operator listener's own
	service                      // Authorization holds a service's key; cookies are ignored, and no page may call
)

// route is one call: its method, its path below the mux's own rules, and what
// serves it.
type route struct {
	access  access
	method  string
	path    string
	handle  func(w http.ResponseWriter, r *http.Request, call call) error
	queries []string // the query parameters it takes
	inert   bool     // changes nothing whatever its method, so cookies need no proof
	meter   meter
}

// call is what every handler needs of its request.
type call struct {
	requestID  string
	credential string         // of a credential route, an operator's or a service's
	operator   string         // of an operator's route, the id of who calls
	session    session.Secret // of a holder route, by whichever channel
	refresh    session.Secret // the refresh cookie
	cookies    bool           // the secrets came as cookies
	apart      bool           // it came under the origin of anonymous sessions
	answer     http.Header    // the answer's header
	count      *count         // of a route whose handler counts
	place      *place         // of a route whose handler waits
}

// Options are what the handlers need besides the service.
type Options struct {
	Origin  string   // the service's own origin
	Origins []string // other origins whose pages may call
	Hosts   []string // host names besides the own origin's
	// AnonymousOrigin is a second origin of the service, under which only anonymous
	// sessions live, in cookies too. Empty: none.
	AnonymousOrigin string
	Group           Group               // nil: anonymous sessions are not served
	Sockets         *Sockets            // nil: sockets are not served
	Feed            Feed                // nil: services are not served
	Artifacts       map[string]Artifact // by the SHA-256 of their content, in hex

	Dev   bool // pages of this machine may call, over any of its names
	Pages map[string]Page

	Log *slog.Logger
	// Count is told of each answered request: the route's pattern and the status,
	// 0 when the connection was closed without an answer.
	Count func(route string, status int)

	Limits    *Limits // nil limits nothing
	InService int     // bound of the requests in service at once; 0 for none
	// Refused is told of each request that a limit refused: its policy's name, or
	// "overload".
	Refused func(policy string)
	Chaos   *Chaos // nil but in development
}

// mux serves the routes. Paths are matched as they are: nothing is cleaned,
// redirected or guessed, and an undeclared verb is 405.
type mux struct {
	inner   *http.ServeMux
	exact   map[string]http.HandlerFunc // of the patterns that are their own path
	nowhere http.HandlerFunc            // of all other paths
	opts    Options
	origins origins
	limits  *limits
	shed    *shed
	secrets secrets
}

// secrets is what a mux asks of the service about a request's secrets. A mux
// without routes for holders needs none.
type secrets interface {
	// Recognise reads a session token once for the request, and returns the session
	// that it names if it is genuine.
	Recognise(session.Secret) (session.Secret, token.ID, bool)
	// checkProof checks a request that changes something by cookie.
	checkProof(*http.Request, cookies) error
}

func newMux(opts Options, routes []route, s secrets) (http.Handler, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Count == nil {
		opts.Count = func(string, int) {}
	}
	if opts.Refused == nil {
		opts.Refused = func(string) {}
	}
	own, err := newOrigins(opts)
	if err != nil {
		return nil, err
	}
	m := &mux{inner: http.NewServeMux(), exact: map[string]http.HandlerFunc{}, opts: opts, origins: own, limits: newLimits(opts), shed: newShed(opts.InService), secrets: s}
	byPath := map[string][]route{}
	for _, rt := range routes {
		if rt.access < anyone || rt.access > service {
			return nil, fmt.Errorf("httpapi: %s %s does not say who may call it", rt.method, rt.path)
		}
		byPath[rt.path] = append(byPath[rt.path], rt)
	}
	for p, list := range byPath {
		h := m.serve(p, list)
		m.inner.HandleFunc(p, h)
		m.exact[p] = h
	}
	m.nowhere = func(w http.ResponseWriter, r *http.Request) {
		m.serve("/", []route{{access: anyone, method: r.Method, handle: nothing}})(w, r)
	}
	m.inner.HandleFunc("/", m.nowhere)
	return m, nil
}

func nothing(http.ResponseWriter, *http.Request, call) error {
	return refuse(http.StatusNotFound, api.NotFound, "There is nothing here.")
}

// ServeHTTP refuses unclean paths before the mux would redirect them, and "*"
// before it would answer without our fields.
func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := m.exact[r.URL.Path]; ok && r.URL.RawPath == "" {
		h(w, r)
		return
	}
	if clean := path.Clean(r.URL.Path); clean != r.URL.Path || clean[0] != '/' || r.URL.RawPath != "" || strings.ContainsAny(r.URL.Path, ";\\") {
		m.nowhere(w, r)
		return
	}
	m.inner.ServeHTTP(w, r)
}

// statusWriter remembers the status for the count and the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// serve wraps the handlers of one path: request id, headers, panics, method,
// query, bearer, refusals, count and log.
func (m *mux) serve(pattern string, routes []route) http.HandlerFunc {
	validate := strings.HasSuffix(pattern, "/validate")
	paged := !strings.HasPrefix(pattern, api.ServicePath) // pages may call it, if their origin is listed
	var methods []string
	for _, rt := range routes {
		methods = append(methods, rt.method)
	}
	slices.Sort(methods)
	allow := strings.Join(methods, ", ")
	undeclared := &route{access: anyone, handle: func(w http.ResponseWriter, _ *http.Request, _ call) error {
		w.Header().Set("Allow", allow)
		return refuse(http.StatusMethodNotAllowed, api.MethodNotAllowed, "This call does not take that method.")
	}}
	preflight := &route{access: anyone, handle: m.origins.preflight}
	return func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{mux: m, pattern: pattern, validate: validate, request: r, requestID: [1]string{newRequestID()}}
		x.writer = statusWriter{ResponseWriter: w, status: http.StatusOK}
		h := w.Header()
		for _, f := range always {
			h[f.name] = f.values
		}
		h["Request-Id"] = x.requestID[:]
		if paged {
			m.origins.answer(h, r)
		}
		defer x.end()
		rt := undeclared
		for i := range routes {
			if routes[i].method == r.Method {
				rt = &routes[i]
				break
			}
		}
		if rt == undeclared && paged && r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			rt = preflight
		}
		if err := x.serve(rt, h); err != nil {
			f := failureOf(err)
			if f.status == http.StatusServiceUnavailable && r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // its client went away: no answer, and no error of ours
			}
			x.fail(f)
		}
	}
}

// exchange is one request and its answer, in one piece of memory.
type exchange struct {
	mux       *mux
	pattern   string
	validate  bool
	request   *http.Request
	writer    statusWriter
	requestID [1]string // a field's values
	count     count
	place     place
}

// end counts and logs the exchange, and answers a panic. It is what defer calls.
func (x *exchange) end() {
	p := recover()
	if p == http.ErrAbortHandler {
		// No answer, and the connection closes: net/http knows how.
		x.mux.opts.Count(x.pattern, 0)
		panic(p)
	}
	if p != nil {
		// The panic's value may hold anything: its type is all that is told.
		x.logger().Error("panic", slog.String("type", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
		if x.writer.status == http.StatusOK {
			x.fail(refuse(http.StatusServiceUnavailable, api.Unavailable, "The service cannot answer right now. Try again shortly."))
		}
	}
	x.mux.opts.Count(x.pattern, x.writer.status)
	if x.mux.opts.Log.Enabled(x.request.Context(), slog.LevelDebug) {
		x.logger().Debug("request", slog.Int("status", x.writer.status))
	}
}

func (x *exchange) fail(f *failure) {
	writeFailure(&x.writer, x.request, x.logger(), f, x.validate)
}

// logger is for what is to be told of a request. That there was one, at what
// time, is told at debug level only: it would be a diary of people's visits.
func (x *exchange) logger() *slog.Logger {
	return x.mux.opts.Log.With(slog.String("request_id", x.requestID[0]), slog.String("route", x.pattern), slog.String("method", methodName(x.request.Method)))
}

// serve serves the route, if there is room and its sender is within a rate.
func (x *exchange) serve(rt *route, answer http.Header) error {
	m := x.mux
	if !m.shed.enter(rt.meter.reserved()) {
		m.opts.Refused("overload")
		return refuse(http.StatusServiceUnavailable, api.Unavailable, "The service is busy."+wait)
	}
	x.place = place{m.shed}
	defer x.place.leave()
	x.count = count{limits: m.limits, request: x.request, answer: answer, meter: rt.meter}
	return x.count.rest(m.answer(&x.writer, x.request, call{requestID: x.requestID[0], answer: answer, count: &x.count, place: &x.place}, rt))
}

func (m *mux) answer(w http.ResponseWriter, r *http.Request, c call, rt *route) error {
	if !m.origins.knows(r.Host) {
		return refuse(http.StatusMisdirectedRequest, api.InvalidRequest, "This service has another name.")
	}
	if rt.method != "" {
		if _, err := query(r, rt.queries...); err != nil {
			return err
		}
		if err := m.admit(r, &c, rt); err != nil {
			return err
		}
	}
	return m.opts.Chaos.serve(rt, w, r, c)
}

// admit reads the secrets that the route looks at, and checks where a request
// that changes something comes from.
func (m *mux) admit(r *http.Request, c *call, rt *route) error {
	text, err := bearer(r)
	if err != nil {
		return err
	}
	c.apart = m.origins.isApart(r.Host)
	var jar cookies
	switch rt.access {
	case credential, operator, service:
		c.credential = text
	case apart:
		if text != "" || !c.apart && carriesSession(r) {
			return errMixed
		}
	case holder, socketed:
		if jar, err = readCookies(r); err != nil {
			return err
		}
		c.session = session.NewSecret(session.Header, text)
		if c.cookies = jar.any(); c.cookies {
			if text != "" {
				return refuse(http.StatusBadRequest, api.InvalidRequest, "Send the session once: as a cookie or in Authorization.")
			}
			c.session, c.refresh = jar.session, jar.refresh
		}
	}
	if rt.access == socketed {
		err = m.origins.checkHandshake(r, c.cookies)
	} else {
		err = m.origins.check(r, c.cookies)
	}
	if err != nil {
		return err
	}
	if rt.meter != byHandler {
		var id token.ID
		genuine := false
		if !c.session.IsZero() && (m.limits != nil || c.apart) {
			c.session, id, genuine = m.secrets.Recognise(c.session)
		}
		if err := c.count.session(id, genuine); err != nil {
			return err
		}
		if err := c.mayBeHere(id, genuine); err != nil {
			return err
		}
	}
	if !c.cookies || rt.inert || r.Method == http.MethodGet {
		return nil
	}
	return m.secrets.checkProof(r, cookies{c.session, c.refresh})
}

// newRequestID returns a fresh id; one from outside is never taken over.
// It opens nothing and is no secret: that two are hardly ever the same is all.
func newRequestID() string {
	b := [20]byte{'r', 'e', 'q', '_'}
	for i, bits := len("req_"), rand.Uint64(); i < len(b); i, bits = i+1, bits>>4 {
		b[i] = "0123456789abcdef"[bits&15]
	}
	return string(b[:])
}

// methodName keeps made-up methods out of the log.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// always are the fields of every answer. Values are replaced, never changed.
var always = [...]struct {
	name   string
	values []string
}{
	{"Cache-Control", []string{"no-store"}},
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Strict-Transport-Security", []string{"max-age=31536000"}},
	{"Vary", []string{"Origin, Sec-Fetch-Site"}},
}

// handle makes a handler of a function that takes a JSON body: decode, call,
// answer.
func handle[In, Out any](status int, optional bool, f func(r *http.Request, c call, in In) (Out, error)) func(http.ResponseWriter, *http.Request, call) error {
	return func(w http.ResponseWriter, r *http.Request, c call) error {
		var in In
		if err := readBody(w, r, &in, optional); err != nil {
			return err
		}
		out, err := f(r, c, in)
		if err != nil {
			return err
		}
		writeData(w, status, &out)
		return nil
	}
}

// get is handle for calls without a body.
func get[Out any](f func(r *http.Request, c call) (Out, error)) func(http.ResponseWriter, *http.Request, call) error {
	return handle(http.StatusOK, true, func(r *http.Request, c call, _ api.Empty) (Out, error) { return f(r, c) })
}
