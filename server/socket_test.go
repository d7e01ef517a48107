package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/token"
)

const socketPath = "/api/auth/sessions/events"

// listener is the client's end of a socket, which reads always.
type listener struct {
	t    testing.TB
	conn *websocket.Conn
	got  chan heard
}

type heard struct {
	event  string
	reason string
	id     string // of the greeting
	closed websocket.CloseError
}

func (w *world) ticket(bearer string) string {
	w.t.Helper()
	return data[api.SocketTicket](w.t, w.call("POST", socketPath+"/ticket", bearer, nil)).Ticket
}

// dialSocket asks for a socket with a ticket, or with none; set adds to its
// request. A refusal has a status and no listener.
func (w *world) dialSocket(ticket string, set ...func(*websocket.DialOptions)) (*listener, int) {
	w.t.Helper()
	o := &websocket.DialOptions{HTTPHeader: http.Header{}, Subprotocols: []string{api.SocketProtocol}}
	if ticket != "" {
		o.Subprotocols = append(o.Subprotocols, api.TicketProtocol+ticket)
	}
	for _, f := range set {
		f(o)
	}
	conn, res, err := websocket.Dial(context.Background(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath, o)
	if err != nil {
		if res == nil {
			w.t.Fatal(err)
		}
		return nil, res.StatusCode
	}
	l := &listener{w.t, conn, make(chan heard, 16)}
	w.t.Cleanup(func() { conn.CloseNow() })
	go l.read()
	return l, res.StatusCode
}

func (l *listener) read() {
	for {
		_, text, err := l.conn.Read(context.Background())
		if err != nil {
			var e websocket.CloseError
			errors.As(err, &e)
			l.got <- heard{closed: e}
			return
		}
		var m struct {
			Event     string `json:"event"`
			Reason    string `json:"reason"`
			SessionID string `json:"session_id"`
		}
		if err := json.Unmarshal(text, &m); err != nil {
			l.t.Errorf("%s: %v", text, err)
		}
		l.got <- heard{event: m.Event, reason: m.Reason, id: m.SessionID}
	}
}

// next is the next message, or the close.
func (l *listener) next() (h heard) {
	l.t.Helper()
	select {
	case h = <-l.got:
	case <-time.After(time.Minute):
		l.t.Error("nothing was heard")
	}
	return h
}

// expect takes the next message.
func (l *listener) expect(event, reason string) heard {
	l.t.Helper()
	h := l.next()
	if h.event != event || h.reason != reason {
		l.t.Errorf("heard %+v, want %s %s", h, event, reason)
	}
	return h
}

// ends expects the session's end, and the close that goes with it.
func (l *listener) ends(reason string) {
	l.t.Helper()
	l.expect(api.SocketEnded, reason)
	if h := l.next(); h.closed.Code != api.SocketSessionEnded || h.closed.Reason != reason {
		l.t.Errorf("closed with %+v, want %s", h.closed, reason)
	}
}

// listen opens a socket for a session.
func (w *world) listen(s api.Tokens) *listener {
	w.t.Helper()
	l, status := w.dialSocket(w.ticket(s.SessionToken))
	if l == nil {
		w.t.Fatalf("no socket: %d", status)
	}
	if h := l.expect(api.SocketReady, ""); h.id != s.SessionID {
		w.t.Errorf("greeted as %s, not %s", h.id, s.SessionID)
	}
	return l
}

// WSS-03, REV-05: however a session ends, its socket says why and closes.
func TestASocketEndsWithItsSession(t *testing.T) {
	reported := api.CreateRequest{Activity: "reported"}
	for reason, end := range map[string]func(w *world, s api.Tokens){
		"logout": func(w *world, s api.Tokens) { w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil) },
		"revoked": func(w *world, s api.Tokens) {
			w.call("DELETE", "/api/auth/sessions/"+s.SessionID, w.signIn(reported).SessionToken, nil)
		},
		"revoked by an operator": func(w *world, s api.Tokens) {
			w.want(w.act("DELETE", "/sessions/"+s.SessionID, w.operatorKey(), api.OperatorRequest{Reason: "stolen"}), 200, "")
		},
		"revoked with all others": func(w *world, _ api.Tokens) {
			w.want(w.act("POST", "/sessions/end", w.operatorKey(), api.EndManyRequest{All: true, Reason: "an incident"}), 200, "")
		},
		"idle_timeout":  func(w *world, _ api.Tokens) { w.clock.Advance(36 * time.Minute) },
		"session_ended": func(w *world, _ api.Tokens) { w.clock.Advance(25 * time.Hour) },
		"limit": func(w *world, _ api.Tokens) {
			for range 10 {
				w.signIn(reported)
			}
		},
		"refresh_reuse": func(w *world, s api.Tokens) {
			next := data[api.Tokens](w.t, w.refresh(s.RefreshToken))
			w.want(w.validate(next.SessionToken), 200, "")
			w.clock.Advance(121 * time.Second)
			w.want(w.refresh(s.RefreshToken), 401, api.RefreshFailed)
		},
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t)
			s := w.signIn(reported)
			l := w.listen(s)
			end(w, s)
			word, _, _ := strings.Cut(reason, " ")
			l.ends(word)
			if l, status := w.dialSocket(""); l != nil || status != 401 {
				t.Errorf("without anything: %d", status)
			}
		})
	}
}

// REV-05: a socket closes with the licence that its session stands on, and tells
// of its end a month before.
func TestASocketEndsWithTheLicence(t *testing.T) {
	w := newWorld(t)
	ada := w.newOperator("operator")
	w.importFile(ada.Key, "reason=the+list+of+November", licenceHeader, "PSY-7,Board of Bavaria,DE-BY,verified,2027-12-31,icp,"+w.person.Principal()+",")
	early := w.listen(data[api.Tokens](t, w.practise(w.person, api.CreateRequest{})))
	w.clock.Advance(390 * 24 * time.Hour)
	early.ends("session_ended") // and of the licence it heard nothing
	l := w.listen(data[api.Tokens](t, w.practise(w.person, api.CreateRequest{})))
	l.expect(api.SocketLicence, "")
	w.want(w.act("POST", "/licences/suspend", ada.Key, api.LicenceRequest{Authority: "Board of Bavaria", Number: "PSY-7", Reason: "by the board"}), 200, "")
	l.ends("licence_changed")
}

// What a refresh does is not told; what replaces the tokens is, and closes the
// socket that was opened with them. An end that is near is told.
func TestASocketTellsOfItsSession(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{Activity: "reported"})
	l := w.listen(s)
	s = data[api.Tokens](t, w.refresh(s.RefreshToken))
	w.want(w.validate(s.SessionToken), 200, "")
	s = data[api.Tokens](t, w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, api.AmendRequest{Permissions: &[]string{"read:profile"}}))
	l.expect(api.SocketUpdated, "")
	if h := l.next(); h.closed.Code != api.SocketReplaced {
		t.Errorf("closed with %+v", h.closed)
	}
	w.clock.Advance(34 * time.Minute)
	l = w.listen(s)
	l.expect(api.SocketExpiring, "idle_timeout")
	w.clock.Advance(time.Minute)
	l.ends("idle_timeout")
}

// WSS-01, PRI-01: a page's own cookies open its socket; a pseudonym's ticket
// opens none in the company of a name, and its use leaves no fine time behind.
func TestSocketsKeepPseudonymsApart(t *testing.T) {
	w := newWorld(t, openGroup, func(c *server.Config) { c.AnonymousOrigin = quiet })
	j := newJar(w)
	a := j.do(func() *http.Request {
		req := j.request("POST", "/api/auth/sessions", `{"transport":"cookie"}`)
		req.Header.Set("Authorization", "Bearer "+w.credential(w.person))
		return req
	}())
	named := data[api.Tokens](t, a)
	page := func(j *jar, from, host string) func(*websocket.DialOptions) {
		return func(o *websocket.DialOptions) {
			o.HTTPHeader.Set("Origin", from)
			o.HTTPHeader.Set("Cookie", j.request("GET", "/", "").Header.Get("Cookie"))
			o.Host = host
		}
	}
	const here, there = "sessions.example.org", "quiet.example.org"
	l, status := w.dialSocket("", page(j, origin, here))
	if l == nil {
		t.Fatalf("a page's own socket: %d", status)
	}
	if h := l.expect(api.SocketReady, ""); h.id != named.SessionID {
		t.Errorf("greeted as %s", h.id)
	}

	refused := func(what string, want int, ticket string, set ...func(*websocket.DialOptions)) {
		t.Helper()
		if l, status := w.dialSocket(ticket, set...); l != nil || status != want {
			t.Errorf("%s: %d, want %d", what, status, want)
		}
	}
	refused("a name's cookies under the other origin", 403, "", page(j, quiet, there))
	refused("a name's ticket under the other origin", 403, w.ticket(w.signIn(api.CreateRequest{}).SessionToken), func(o *websocket.DialOptions) { o.Host = there })

	ada := w.newMember()
	ada.enrol()
	s, _ := ada.signInAnonymously()
	w.clock.Advance(2*time.Minute + 17*time.Second)
	ticket := w.ticket(s.SessionToken)
	refused("a pseudonym's ticket beside a name's cookies", 400, ticket, page(j, origin, here))
	l, status = w.dialSocket(ticket)
	if l == nil {
		t.Fatalf("a pseudonym's socket: %d", status)
	}
	l.expect(api.SocketReady, "")

	text, err := ada.credential(w.anonymousChallenge()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	k := newJar(w)
	k.origin = quiet
	req := k.request("POST", "/api/auth/sessions", `{"session_type":"anonymous","transport":"cookie","credential":"`+text+`"}`)
	req.Host = there
	w.want(k.do(req), 201, "")
	if l, status = w.dialSocket("", page(k, quiet, there)); l == nil {
		t.Fatalf("a pseudonym's cookies under their own origin: %d", status)
	}
	l.expect(api.SocketReady, "")
	refused("and under the other", 400, "", page(k, origin, here))

	w.stop()
	raw, err := base64.RawURLEncoding.DecodeString(ticket)
	if err != nil {
		t.Fatal(err)
	}
	random := raw[1+len(token.ID{})+8:][:16]
	found := false
	for _, tb := range dump(t, w.data+"/sessions.db") {
		for _, row := range tb.rows {
			if tb.name != "nonces" || string(row[0].([]byte)[4:]) != string(random) {
				continue
			}
			found = true
			if err := bucketKey(row[0].([]byte)); err != nil {
				t.Errorf("the used ticket: %v", err)
			}
		}
	}
	if !found {
		t.Error("the used ticket is not kept")
	}
}

// Many sessions, each with some sockets: what happens to one is told to its own
// sockets and to no other. Then everybody is cut off and comes back at once.
func TestAThousandSocketsComeBack(t *testing.T) {
	sessions, each := 250, 4
	if server.RaceEnabled {
		sessions = 60
	}
	w := newWorld(t)
	w.many = true
	var mu sync.Mutex
	var all []api.Tokens
	w.issue(sessions, 1, func(s api.Tokens) { all = append(all, s) })
	open := func(which []api.Tokens) map[string][]*listener {
		sockets := map[string][]*listener{}
		var wg sync.WaitGroup
		for _, s := range which {
			wg.Go(func() {
				for range each {
					l := w.listen(s)
					mu.Lock()
					sockets[s.SessionID] = append(sockets[s.SessionID], l)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return sockets
	}
	sockets := open(all)
	for _, list := range sockets {
		for _, l := range list {
			l.conn.CloseNow()
		}
	}
	w.eventually(func() bool { return w.gauge("sessiond_sockets_open") == 0 })
	sockets = open(all)
	if n := w.gauge("sessiond_sockets_open"); n != sessions*each {
		t.Errorf("%d sockets are open", n)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	ended, live := all[:sessions/2], all[sessions/2:]
	var wg sync.WaitGroup
	for _, s := range ended {
		wg.Go(func() { w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil) })
	}
	wg.Wait()
	for _, s := range ended {
		for _, l := range sockets[s.SessionID] {
			l.ends("logout")
		}
	}
	w.want(w.act("POST", "/sessions/end", w.operatorKey(), api.EndManyRequest{All: true, Reason: "an incident"}), 200, "")
	for _, s := range live {
		for _, l := range sockets[s.SessionID] {
			l.ends("revoked") // and heard nothing before
		}
	}
	w.eventually(func() bool { return w.gauge("sessiond_sockets_open") == 0 })
}

// gauge reads a number of the metrics.
func (w *world) gauge(name string) (n int) {
	w.t.Helper()
	res, err := http.Get(w.metrics)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			fmt.Sscan(rest, &n)
		}
	}
	return n
}

// REL-07: a server that stops hangs up at once, with its own code.
func TestTheServerHangsUp(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	l := w.listen(s)
	begin := time.Now()
	w.stop()
	if h := l.next(); h.closed.Code != websocket.StatusGoingAway {
		t.Errorf("heard %+v", h)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the server stopped after %v", took)
	}
}
