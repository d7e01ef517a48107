package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// shore is a house whose sockets can be reached over a network.
type shore struct {
	*house
	at      string // host and port
	sockets *Sockets
	log     *guarded
}

func newShore(t *testing.T, change ...func(*Options, *SocketOptions)) *shore {
	t.Helper()
	s := &shore{log: &guarded{}}
	s.house = newHouse(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		so := SocketOptions{Subscribe: o.Sockets.opts.Subscribe}
		for _, f := range change {
			f(o, &so)
		}
		s.sockets = NewSockets(so)
		o.Sockets = s.sockets
	})
	server := httptest.NewServer(s.handler)
	s.at = strings.TrimPrefix(server.URL, "http://")
	t.Cleanup(func() {
		s.sockets.Shutdown()
		server.Close()
	})
	return s
}

// guarded is a buffer that several may use.
type guarded struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (g *guarded) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(b)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}

func (s *shore) ticket(token string) string {
	s.t.Helper()
	w := s.do("POST", socketPath+"/ticket", "", bearerOf(token))
	k := answered[api.SocketTicket](s.t, w)
	if k.ExpiresIn != 30 || len(k.Ticket) != session.TicketTextLen {
		s.t.Errorf("%+v", k)
	}
	return k.Ticket
}

// withTicket offers a ticket.
func withTicket(ticket string) func(*http.Request) {
	return field("Sec-WebSocket-Protocol", api.SocketProtocol+", "+api.TicketProtocol+ticket)
}

// dial asks for a socket; nil with the status that refused it.
func (s *shore) dial(set ...func(*http.Request)) (*client, int) {
	s.t.Helper()
	r := httptest.NewRequest("GET", socketPath, nil)
	r.Header.Set("Sec-WebSocket-Protocol", api.SocketProtocol)
	for _, f := range set {
		f(r)
	}
	protocols := splitList(r.Header["Sec-Websocket-Protocol"])
	r.Header.Del("Sec-WebSocket-Protocol")
	conn, res, err := websocket.Dial(s.t.Context(), "ws://"+s.at+r.URL.RequestURI(), &websocket.DialOptions{Host: r.Header.Get("Host"), HTTPHeader: r.Header, Subprotocols: protocols})
	if err != nil {
		if res == nil {
			s.t.Fatal(err)
		}
		return nil, res.StatusCode
	}
	s.t.Cleanup(func() { conn.CloseNow() })
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != api.SocketProtocol {
		s.t.Errorf("the subprotocol is %q", got)
	}
	if got := res.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		s.t.Errorf("the extensions are %q", got)
	}
	return newClient(s.t, conn, time.Minute), res.StatusCode
}

// open is dial of a socket that opens, and its greeting.
func (s *shore) open(set ...func(*http.Request)) *client {
	s.t.Helper()
	c, status := s.dial(set...)
	if c == nil {
		s.t.Fatalf("refused: %d", status)
	}
	c.expect(api.SocketReady)
	return c
}

// refused is dial of a socket that does not open.
func (s *shore) refused(what string, want int, set ...func(*http.Request)) {
	s.t.Helper()
	if c, status := s.dial(set...); c != nil || status != want {
		s.t.Errorf("%s: %d, want %d", what, status, want)
	}
}

// client is the other end of a socket. It reads always, so that it answers
// pings, unless it stalls.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	got  chan frame
	wait time.Duration // for a message, before the test gives up
}

// frame is what a read came to.
type frame struct {
	text []byte
	err  error
}

func newClient(t *testing.T, conn *websocket.Conn, wait time.Duration) *client {
	c := &client{t, conn, make(chan frame, 16), wait}
	go func() {
		for {
			kind, text, err := conn.Read(context.Background())
			if err == nil && kind != websocket.MessageText {
				err = errors.New("no text")
			}
			c.got <- frame{text, err}
			if err != nil {
				return
			}
		}
	}()
	return c
}

// message is any event.
type message struct {
	Event            string   `json:"event"`
	Reason           string   `json:"reason"`
	SessionID        string   `json:"session_id"`
	SessionType      string   `json:"session_type"`
	Permissions      []string `json:"permissions"`
	EndsIn           int64    `json:"ends_in"`
	IdleExpiresAt    string   `json:"idle_expires_at"`
	SessionExpiresAt string   `json:"session_expires_at"`
}

// next is what a read came to.
func (c *client) next() (f frame) {
	c.t.Helper()
	select {
	case f = <-c.got:
	case <-time.After(c.wait):
		c.t.Fatal("nothing came")
	}
	return f
}

func (c *client) expect(event string) (m message) {
	c.t.Helper()
	f := c.next()
	if f.err != nil {
		c.t.Fatalf("waiting for %s: %v", event, f.err)
	}
	if err := api.Unmarshal(f.text, &m); err != nil || m.Event != event {
		c.t.Fatalf("%s, want %s", f.text, event)
	}
	return m
}

// closed expects the close and nothing before it.
func (c *client) closed(code websocket.StatusCode, reason string) {
	c.t.Helper()
	f := c.next()
	if f.err == nil {
		c.t.Fatalf("one more message: %s", f.text)
	}
	var e websocket.CloseError
	if errors.As(f.err, &e); e.Code != code || reason != "" && e.Reason != reason {
		c.t.Fatalf("closed with %v, want %d %s", f.err, code, reason)
	}
}

// quiet waits until no socket is open, and nobody listens.
func (s *shore) quiet() {
	s.t.Helper()
	for range 2000 {
		if s.sockets.Open() == 0 && s.board.count() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("%d sockets are open, %d listen", s.sockets.Open(), s.board.count())
}

func TestASocketTellsWhatHappens(t *testing.T) {
	s := newShore(t)
	me := s.signIn()
	c, _ := s.dial(withTicket(s.ticket(me.SessionToken)))
	if m := c.expect(api.SocketReady); m.SessionID != me.SessionID || m.SessionType != "standard" || len(m.Permissions) != 4 ||
		m.IdleExpiresAt != me.IdleExpiresAt || m.SessionExpiresAt != me.SessionExpiresAt {
		t.Errorf("%+v", m)
	}
	// A refresh is nobody's business: the next message is of the change after it.
	me = answered[api.Tokens](t, s.do("POST", refreshPath, `{"refresh_token":"`+me.RefreshToken+`"}`))
	me = answered[api.Tokens](t, s.do("PATCH", api.BasePath+"/sessions/current", `{"permissions":["read:profile"]}`, bearerOf(me.SessionToken)))
	if m := c.expect(api.SocketUpdated); len(m.Permissions) != 1 || m.Permissions[0] != "read:profile" {
		t.Errorf("%+v", m)
	}
	c.closed(api.SocketReplaced, "")

	other := s.signIn()
	beside := s.open(withTicket(s.ticket(other.SessionToken)))
	c = s.open(withTicket(s.ticket(me.SessionToken)))
	s.do("POST", api.BasePath+"/sessions/logout", "", bearerOf(me.SessionToken))
	if m := c.expect(api.SocketEnded); m.Reason != "logout" {
		t.Errorf("%+v", m)
	}
	c.closed(api.SocketSessionEnded, "logout")
	// The other session heard nothing of all that.
	s.do("DELETE", api.BasePath+"/sessions?include=current", "", bearerOf(other.SessionToken))
	beside.expect(api.SocketEnded)
	beside.closed(api.SocketSessionEnded, "logout")
	s.quiet()
}

// WSS-01: the origin of a handshake is one of ours, exactly; without one no
// cookie counts; and whose name is rebound to us gets nothing.
func TestForeignPagesOpenNoSocket(t *testing.T) {
	s := newShore(t)
	cookie := s.signInCookie()
	bare := func(r *http.Request) { // no page can send that
		cookie(r)
		r.Header.Del("Session-CSRF")
	}
	for _, origin := range []string{ownOrigin, listedOrigin} {
		s.open(bare, field("Origin", origin))
	}
	ticket := s.ticket(s.signIn().SessionToken)
	foreign := []string{
		"null", "https://evil.example", "http://sessions.example.org", "https://sessions.example.org:8443", "https://sessions.example.org.evil.example",
		"https://evil.example/?https://sessions.example.org", "https://sessions.example.org/", "https://sessions.example.org/x", "https://SESSIONS.example.org",
		"https://xsessions.example.org", "https://sub.sessions.example.org", "https://example.org", "https://other.example.org", "https://app.example.org.",
		"https://app.example.org:443", "https://user@app.example.org", "https://app.example.org#", "https://app.example.org, https://sessions.example.org",
		"https://sessions.example.org https://evil.example", "sessions.example.org", "//sessions.example.org", "file://", "data:", "blob:https://sessions.example.org/x",
		"wss://sessions.example.org", "ws://sessions.example.org", "chrome-extension://abc", "https://127.0.0.1", "http://127.0.0.1", "http://localhost", "https://localhost",
		"http://" + s.at, "https://" + s.at, "https://sessions.example.org%00", "https://sessions.example.org\\@evil.example", "https://аpp.example.org", "*", "https://*", "about:blank", "undefined",
	}
	for _, origin := range foreign {
		s.refused("cookie, "+origin, 403, bare, field("Origin", origin))
		s.refused("ticket, "+origin, 403, withTicket(ticket), field("Origin", origin))
	}
	twice := func(r *http.Request) { r.Header["Origin"] = []string{ownOrigin, "https://evil.example"} }
	s.refused("two origins", 403, bare, twice)
	s.refused("no origin", 403, bare)
	s.refused("an empty origin", 403, bare, func(r *http.Request) { r.Header["Origin"] = []string{""} })
	s.refused("a rebound name", 421, bare, field("Origin", "http://evil.example"), field("Host", "evil.example"))
	// None of that used the ticket, and a program that is no browser says no origin.
	s.open(withTicket(ticket))
}

func TestADevelopersPagesOpenSockets(t *testing.T) {
	s := newShore(t, func(o *Options, _ *SocketOptions) { o.Dev = true })
	cookie := s.signInCookie()
	s.open(cookie, field("Origin", "http://localhost:5173"))
	s.refused("another's", 403, cookie, field("Origin", "https://evil.example"))
}

// WSS-02: a ticket opens one socket, in its time, for its session.
func TestATicketOpensOneSocket(t *testing.T) {
	s := newShore(t)
	me, other := s.signIn(), s.signIn()
	ticket := s.ticket(me.SessionToken)
	var opened atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, status := s.dial(withTicket(ticket))
			switch {
			case c != nil:
				opened.Add(1)
			case status != 401:
				t.Errorf("refused with %d", status)
			}
		})
	}
	wg.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d sockets were opened", opened.Load())
	}
	s.refused("used", 401, withTicket(ticket))

	late := s.ticket(me.SessionToken)
	s.clock.Advance(29 * time.Second)
	s.open(withTicket(late))
	late = s.ticket(me.SessionToken)
	s.clock.Advance(31 * time.Second)
	s.refused("31 seconds old", 401, withTicket(late))

	ended := s.ticket(me.SessionToken)
	s.do("POST", api.BasePath+"/sessions/logout", "", bearerOf(me.SessionToken))
	s.refused("of an ended session", 401, withTicket(ended))

	// Whoever's cookies a browser adds, a ticket opens its own session.
	cookie := s.signInCookie()
	c, _ := s.dial(cookie, withTicket(s.ticket(other.SessionToken)), field("Origin", ownOrigin))
	if m := c.expect(api.SocketReady); m.SessionID != other.SessionID {
		t.Errorf("it opened %s, not %s", m.SessionID, other.SessionID)
	}

	fresh := s.ticket(other.SessionToken)
	for what, set := range map[string]func(*http.Request){
		"forged":        withTicket(strings.Repeat("A", session.TicketTextLen)),
		"bent":          withTicket(fresh[:len(fresh)-1] + string(fresh[len(fresh)-1]^1)),
		"session token": withTicket("x"),
		"nobody":        func(*http.Request) {},
	} {
		s.refused(what, 401, set)
	}
	s.refused("a bearer", 400, bearerOf(other.SessionToken))
	s.refused("a bearer and a ticket", 400, bearerOf(other.SessionToken), withTicket(fresh))
	for _, name := range []string{"ticket", "token", "access_token"} {
		s.refused("in the address: "+name, 400, func(r *http.Request) { r.URL.RawQuery = name + "=" + fresh })
	}
	s.open(withTicket(fresh))
	for _, secret := range []string{ticket, late, ended, fresh, other.SessionToken} {
		if strings.Contains(s.log.String(), secret) {
			t.Fatal("the log has a secret")
		}
	}
	if s.log.String() == "" {
		t.Error("nothing was logged")
	}
}

// A cookie changes nothing without its proof, and a ticket is something.
func TestATicketByCookieNeedsTheProof(t *testing.T) {
	s := newShore(t)
	cookie := s.signInCookie()
	if w := s.do("POST", socketPath+"/ticket", "", cookie, field("Origin", ownOrigin)); w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	for what, set := range map[string]func(*http.Request){
		"no proof":         func(r *http.Request) { r.Header.Del("Session-CSRF") },
		"a foreign origin": field("Origin", "https://evil.example"),
	} {
		if w := s.do("POST", socketPath+"/ticket", "", cookie, field("Origin", ownOrigin), set); w.Code != 403 {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
}

func TestHandshakes(t *testing.T) {
	s := newShore(t)
	ticket := s.ticket(s.signIn().SessionToken)
	good := "GET " + socketPath + " HTTP/1.1\r\nHost: " + s.at + "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " + api.SocketProtocol + "\r\n" +
		"Sec-WebSocket-Protocol: x,\t" + api.TicketProtocol + ticket + "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
	for _, c := range []struct {
		what, old, new string
		want           int
	}{
		{"no upgrade", "Upgrade: WebSocket\r\n", "", 426},
		{"another upgrade", "Upgrade: WebSocket", "Upgrade: h2c", 426},
		{"no connection", "keep-alive, Upgrade", "keep-alive", 426},
		{"an old version", "Version: 13", "Version: 8", 426},
		{"two versions", "Version: 13", "Version: 13\r\nSec-WebSocket-Version: 8", 426},
		{"no version", "Sec-WebSocket-Version: 13\r\n", "", 426},
		{"no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400},
		{"a short key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 400},
		{"no base64", "dGhlIHNhbXBsZSBub25jZQ==", "!!!", 400},
		{"two keys", "Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key", 400},
		{"a body", "Upgrade: WebSocket\r\n", "Upgrade: WebSocket\r\nContent-Type: application/json\r\nContent-Length: 2\r\n", 400},
		{"no protocol", "Protocol: " + api.SocketProtocol, "Protocol: other", 400},
		{"another case", "Protocol: " + api.SocketProtocol, "Protocol: Mentalverse.Session.V1", 400},
		{"two tickets", "x,\t", api.TicketProtocol + ticket + ",", 400},
		{"an empty ticket", "x,\t", api.TicketProtocol + ",", 400},
		{"many protocols", "x,\t", "1,2,3,4,5,6,7,", 400},
		{"HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400},
		{"a post", "GET ", "POST ", 405},
		{"good", "", "", 101},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if c.old != "" && text == good {
			t.Fatal(c.what)
		}
		conn, err := net.Dial("tcp", s.at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if c.what == "a body" {
			text += "{}"
		}
		io.WriteString(conn, text)
		head := make([]byte, len("HTTP/1.1 101"))
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := string(head[9:]); got != strconv.Itoa(c.want) {
			t.Errorf("%s: %s, want %d", c.what, got, c.want)
		}
	}
}

// A client of a socket has nothing to say: whatever it says closes it, and
// nobody else notices.
func TestAClientHasNothingToSay(t *testing.T) {
	s := newShore(t)
	me := s.signIn()
	beside := s.open(withTicket(s.ticket(me.SessionToken)))
	say := func(kind websocket.MessageType, size int) func(*client) {
		return func(c *client) { c.conn.Write(t.Context(), kind, make([]byte, size)) }
	}
	for what, f := range map[string]func(*client){
		"a text":         say(websocket.MessageText, 2),
		"nothing at all": say(websocket.MessageText, 0),
		"bytes":          say(websocket.MessageBinary, 300),
		"a megabyte":     say(websocket.MessageBinary, 1<<20),
	} {
		c := s.open(withTicket(s.ticket(me.SessionToken)))
		go f(c)
		err := c.next().err
		if code := websocket.CloseStatus(err); err == nil || code != api.SocketMisused && what != "a megabyte" { // whose rest may break the connection first
			t.Errorf("%s: %v", what, err)
		}
	}
	var wg sync.WaitGroup
	for what, c := range map[string]struct {
		frames string
		times  int
	}{
		"pings without end":         {"\x89\x84\x00\x00\x00\x00ping", 10_000},
		"pongs without end":         {"\x8a\x84\x00\x00\x00\x00pong", 10_000},
		"a huge frame that stalls":  {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1},
		"a negative length":         {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1},
		"a begun message":           {"\x01\x81\x00\x00\x00\x00x", 1},
		"fragments without end":     {"\x01\x81\x00\x00\x00\x00x\x00\x81\x00\x00\x00\x00x", 10_000},
		"a continuation of nothing": {"\x80\x81\x00\x00\x00\x00x", 1},
		"a frame without a mask":    {"\x81\x02hi", 1},
		"a ping of two pieces":      {"\x09\x81\x00\x00\x00\x00x", 1},
		"a ping of 126 bytes":       {"\x89\xfe\x00\x7e\x00\x00\x00\x00" + strings.Repeat("x", 126), 1},
		"reserved bits":             {"\xf1\x81\x00\x00\x00\x00x", 1},
		"an unknown opcode":         {"\x8b\x80\x00\x00\x00\x00", 1},
		"a close of one byte":       {"\x88\x81\x00\x00\x00\x00x", 1},
		"a close and a message":     {"\x88\x80\x00\x00\x00\x00\x81\x81\x00\x00\x00\x00x", 1},
		"no frame":                  {"GET / HTTP/1.1\r\n\r\n", 1},
	} {
		conn := s.raw(s.ticket(me.SessionToken))
		wg.Go(func() {
			io.WriteString(conn, "\x89\x81\x00\x00\x00\x00x") // what is allowed
			wg.Go(func() { io.WriteString(conn, strings.Repeat(c.frames, c.times)) })
			if n, err := io.Copy(io.Discard, conn); n > 16<<10 {
				t.Errorf("%s: %d bytes came back: %v", what, n, err)
			}
			conn.Close()
		})
	}
	wg.Wait() // for ever, if one of them were left open
	s.do("POST", api.BasePath+"/sessions/logout", "", bearerOf(me.SessionToken))
	beside.expect(api.SocketEnded)
	s.quiet()
}

// raw opens a socket over a bare connection, past the answer's head.
func (s *shore) raw(ticket string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.at)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, "GET "+socketPath+" HTTP/1.1\r\nHost: "+s.at+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "+api.SocketProtocol+", "+api.TicketProtocol+ticket+"\r\n\r\n")
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one...) {
		if _, err := conn.Read(one); err != nil {
			s.t.Fatal(err)
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		s.t.Fatalf("%s", head)
	}
	return conn
}

// What a client sends right behind its handshake is not lost.
func TestAHastyClientIsHeard(t *testing.T) {
	s := newShore(t)
	ticket := s.ticket(s.signIn().SessionToken)
	conn, err := net.Dial("tcp", s.at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET "+socketPath+" HTTP/1.1\r\nHost: "+s.at+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "+api.SocketProtocol+", "+api.TicketProtocol+ticket+"\r\n\r\n"+
		"\x89\x85\x00\x00\x00\x00hasty")
	var all []byte
	for b := make([]byte, 512); !bytes.Contains(all, []byte("\x8a\x05hasty")); {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("%q: %v", all, err)
		}
		all = append(all, b[:n]...)
	}
}

// WSS-05: a session, an address and the whole service have so many sockets, and
// a refusal uses no ticket up.
func TestSocketsAreBounded(t *testing.T) {
	var limits []string
	var mu sync.Mutex
	s := newShore(t, func(o *Options, so *SocketOptions) {
		so.Most, so.PerSession, so.PerAddress = 4, 2, 3
		o.Limits = &Limits{Address: 1000, Session: 1000, Professional: 1000}
		o.Refused = func(name string) {
			mu.Lock()
			defer mu.Unlock()
			limits = append(limits, name)
		}
		o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	a, b, c := s.signIn(), s.signIn(), s.signIn()
	from := func(address string) func(*http.Request) { return field("X-Forwarded-For", address) }
	one := s.open(withTicket(s.ticket(a.SessionToken)), from("192.0.2.1"))
	s.open(withTicket(s.ticket(a.SessionToken)), from("192.0.2.1"))
	ticket := s.ticket(a.SessionToken)
	s.refused("a third of the session", 429, withTicket(ticket), from("192.0.2.1"))
	one.conn.Close(websocket.StatusNormalClosure, "")
	s.until(1)
	s.open(withTicket(ticket), from("192.0.2.1"))

	s.open(withTicket(s.ticket(b.SessionToken)), from("192.0.2.1"))
	ticket = s.ticket(c.SessionToken)
	s.refused("a fourth of the address", 429, withTicket(ticket), from("192.0.2.1"))
	s.open(withTicket(ticket), from("192.0.2.2"))
	s.refused("a fifth of all", 503, withTicket(s.ticket(c.SessionToken)), from("192.0.2.3"))
	if want := []string{"sockets_session", "sockets_address", "sockets"}; !slices.Equal(limits, want) {
		t.Errorf("%q, want %q", limits, want)
	}
	s.sockets.Shutdown()
	if p := s.sockets; p.seats != 0 || len(p.bySession) != 0 || len(p.byAddress) != 0 {
		t.Errorf("counted still: %d, %d, %d", p.seats, len(p.bySession), len(p.byAddress))
	}
}

// until waits for so many open sockets.
func (s *shore) until(n int) {
	s.t.Helper()
	for range 2000 {
		if s.sockets.Open() == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("%d sockets are open, want %d", s.sockets.Open(), n)
}

// A session that ends while its socket opens is never greeted as if it lived,
// wherever in the opening it ends.
func TestNothingIsMissedWhileASocketOpens(t *testing.T) {
	var before, after func()
	s := newShore(t, func(_ *Options, so *SocketOptions) {
		subscribe := so.Subscribe
		so.Subscribe = func(id token.ID) Subscription {
			before()
			defer after()
			return subscribe(id)
		}
	})
	nothing := func() {}
	for what, when := range map[string]*func(){"before it follows": &before, "after": &after} {
		me := s.signIn()
		before, after = nothing, nothing
		*when = func() { s.do("POST", api.BasePath+"/sessions/logout", "", bearerOf(me.SessionToken)) }
		s.refused(what, 401, withTicket(s.ticket(me.SessionToken)))
	}
	s.quiet()
}

// REL-07: at shutdown every socket is told at once, stalled ones are cut off,
// and nobody gets in any more.
func TestSocketsHangUpAtShutdown(t *testing.T) {
	s := newShore(t)
	me := s.signIn()
	var all []*client
	for range 5 {
		all = append(all, s.open(withTicket(s.ticket(me.SessionToken))))
	}
	stalled := s.raw(s.ticket(me.SessionToken))
	late := s.ticket(me.SessionToken)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.sockets.Shutdown()
	}()
	for _, c := range all {
		c.closed(websocket.StatusGoingAway, "the service stops")
	}
	<-done
	if n := s.sockets.Open(); n != 0 {
		t.Errorf("%d sockets are open", n)
	}
	if b, err := io.ReadAll(stalled); !bytes.Contains(b, []byte("the service stops")) {
		t.Errorf("the stalled one got %q: %v", b, err)
	}
	s.refused("a late one", 503, withTicket(late))
}

func FuzzHandshake(f *testing.F) {
	f.Add("keep-alive, Upgrade", "websocket", "13", "dGhlIHNhbXBsZSBub25jZQ==", api.SocketProtocol+", "+api.TicketProtocol+"x")
	f.Add("upgrade", "WebSocket", "13", "AAAAAAAAAAAAAAAAAAAAAA==", api.SocketProtocol)
	f.Add("", "", "", "", ",,,")
	f.Fuzz(func(t *testing.T, connection, upgrade, version, key, protocols string) {
		r := httptest.NewRequest("GET", socketPath, nil)
		for name, v := range map[string]string{"Connection": connection, "Upgrade": upgrade, "Sec-WebSocket-Version": version, "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": protocols} {
			r.Header.Set(name, v)
		}
		ticket, err := readHandshake(r)
		if err != nil {
			if f := failureOf(err); ticket != "" || f.status != 400 && f.status != 426 {
				t.Errorf("%q, %v", ticket, err)
			}
			return
		}
		if version != "13" || len(key) != 24 || strings.ContainsAny(ticket, ", \t") || !strings.Contains(protocols, api.SocketProtocol) || ticket != "" && !strings.Contains(protocols, api.TicketProtocol+ticket) {
			t.Errorf("%q passes with %q", protocols, ticket)
		}
	})
}

// The wire forms of the events, written out.
func TestTheEventsHaveTheirShape(t *testing.T) {
	for want, event := range map[string]any{
		`{"event":"session.expiring","reason":"idle_timeout","ends_in":120}`: api.Expiring{Event: api.SocketExpiring, Reason: string(session.EndIdle), EndsIn: 120},
		`{"event":"session.ended","reason":"revoked"}`:                       api.Ended{Event: api.SocketEnded, Reason: string(session.EndRevoked)},
		`{"event":"session.updated","permissions":["read:profile"]}`:         api.Updated{Event: api.SocketUpdated, Permissions: []string{"read:profile"}},
	} {
		if got, err := json.Marshal(event); err != nil || string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
