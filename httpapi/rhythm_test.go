package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// pool is a set of sockets in virtual time: a session that the test changes by
// hand, events that it tells, and connections without a network.
type pool struct {
	t       *testing.T
	board   *board
	sockets *Sockets
	dials   chan net.Conn
	server  *http.Server

	mu   sync.Mutex
	row  session.Session
	err  error
	ours error // a mistake of ours: Look panics with it
}

// Look implements watched.
func (p *pool) Look(context.Context, token.ID) (session.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ours != nil {
		panic(p.ours)
	}
	return p.row, p.err
}

// Now implements watched.
func (p *pool) Now() time.Time { return time.Now() }

// Accept, Close and Addr make the pool a listener.
func (p *pool) Accept() (net.Conn, error) {
	c, ok := <-p.dials
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p *pool) Close() error   { return nil }
func (p *pool) Addr() net.Addr { return &net.TCPAddr{} }

// swim runs a test in virtual time, over a session that idles out in 40 minutes
// and ends in two hours.
func swim(t *testing.T, f func(p *pool)) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		p := &pool{t: t, board: newBoard(), dials: make(chan net.Conn)}
		p.row = session.Session{
			ID: token.NewID(token.Standard, now), Type: session.Standard, Reporting: true, Permissions: session.Permissions{"a"},
			IdleLife: 40 * time.Minute, LastActivity: now, ExpiresAt: now.Add(time.Hour), AbsoluteEnd: now.Add(2 * time.Hour), MinGen: 1,
		}
		p.sockets = NewSockets(SocketOptions{Subscribe: p.board.subscribe})
		p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			row := p.row
			p.mu.Unlock()
			at := seat{session: row.ID}
			if _, err := p.sockets.enter(at); err != nil {
				t.Error(err)
			}
			s := &socket{set: p.sockets, service: p, seat: at, minGen: row.MinGen, heard: p.board.subscribe(row.ID)}
			s.accept(w, r, &row)
		})}
		go p.server.Serve(p)
		defer func() {
			p.sockets.Shutdown()
			close(p.dials)
			p.server.Close()
			if p.board.count() != 0 {
				t.Errorf("%d listen still", p.board.count())
			}
		}()
		f(p)
	})
}

// open opens a socket, and takes its greeting.
func (p *pool) open() *client {
	p.t.Helper()
	c := newClient(p.t, p.dial(), 3*time.Hour)
	c.expect(api.SocketReady)
	return c
}

// stall opens a socket, takes its greeting and then nothing more.
func (p *pool) stall() *websocket.Conn {
	p.t.Helper()
	conn := p.dial()
	if _, _, err := conn.Read(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// dial dials over a pipe, which holds nothing for anybody.
func (p *pool) dial() *websocket.Conn {
	p.t.Helper()
	here, there := net.Pipe()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return here, nil }}
	p.dials <- there
	conn, _, err := websocket.Dial(context.Background(), "ws://x/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{api.SocketProtocol}})
	if err != nil {
		p.t.Fatal(err)
	}
	return conn
}

func (p *pool) change(f func(*session.Session)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.row)
}

func (p *pool) tell(e session.Event) {
	e.SessionID = p.row.ID
	p.board.Event(e)
}

// LIF-06: an end that is near is told at least two minutes before, once; if the
// person moves it, it is told anew when it comes near again, and the socket
// itself moves nothing.
func TestAnEndThatIsNearIsTold(t *testing.T) {
	swim(t, func(p *pool) {
		began := time.Now()
		c := p.open()
		after := func(event, reason string, want time.Duration) {
			t.Helper()
			m := c.expect(event)
			if took := time.Since(began); took < want || took > want+time.Second || m.Reason != reason {
				t.Errorf("%s %s after %v, want %v", m.Event, m.Reason, took, want)
			}
			if event == api.SocketExpiring && (m.EndsIn < 120 || m.EndsIn > 125) {
				t.Errorf("%d seconds are left", m.EndsIn)
			}
		}
		after(api.SocketExpiring, "idle_timeout", 38*time.Minute-5*time.Second)
		time.Sleep(time.Minute)
		p.change(func(s *session.Session) { s.LastActivity = time.Now() }) // after 39 minutes, less a moment
		after(api.SocketExpiring, "idle_timeout", 38*time.Minute-5*time.Second+time.Minute+38*time.Minute-5*time.Second)
		p.change(func(s *session.Session) { s.LastActivity = time.Now().Add(time.Hour) })
		after(api.SocketExpiring, "session_ended", 2*time.Hour-2*time.Minute-5*time.Second)
		// Until somebody has committed the end, the socket waits.
		time.Sleep(3 * time.Minute)
		if len(c.got) > 0 {
			t.Error("an end was told that nobody has committed")
		}
		p.tell(session.Event{Kind: session.EventEnded, Reason: session.EndAbsolute})
		after(api.SocketEnded, "session_ended", 2*time.Hour+55*time.Second)
		c.closed(api.SocketSessionEnded, "session_ended")
	})
}

// WSS-03: a session that ended without anybody telling is found within a second
// of the opening, and within half a minute afterwards.
func TestALostEventIsFound(t *testing.T) {
	for what, c := range map[string]struct{ open, within time.Duration }{
		"while it opens": {0, firstLook},
		"later":          {10 * time.Minute, pingEvery},
	} {
		t.Run(what, func(t *testing.T) {
			swim(t, func(p *pool) {
				p.board.hush()
				socket := p.open()
				time.Sleep(c.open)
				ended := time.Now()
				p.change(func(s *session.Session) { s.EndedAt, s.EndReason = time.Now(), session.EndRevoked })
				if m := socket.expect(api.SocketEnded); time.Since(ended) > c.within || m.Reason != "revoked" {
					t.Errorf("after %v: %+v", time.Since(ended), m)
				}
				socket.closed(api.SocketSessionEnded, "revoked")
			})
		})
	}
}

// A cut names nobody: each socket asks whether its session lives.
func TestACutIsAskedAbout(t *testing.T) {
	swim(t, func(p *pool) {
		c := p.open()
		p.board.Event(session.Event{Kind: session.EventCut})
		synctest.Wait()
		if p.sockets.Open() != 1 {
			t.Fatal("it closed for a cut of others")
		}
		p.change(func(s *session.Session) { s.EndedAt, s.EndReason = time.Now(), session.EndRevoked })
		begin := time.Now()
		p.board.Event(session.Event{Kind: session.EventCut})
		c.expect(api.SocketEnded)
		c.closed(api.SocketSessionEnded, "revoked")
		if took := time.Since(begin); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// An event may be faster than the state that it tells of: what is told is never
// older than the event.
func TestAnUpdateIsNotToldTooEarly(t *testing.T) {
	swim(t, func(p *pool) {
		c := p.open()
		time.Sleep(10 * time.Second)
		p.tell(session.Event{Kind: session.EventUpdated, MinGen: 2})
		time.Sleep(300 * time.Millisecond)
		if len(c.got) > 0 {
			t.Error("something older than the event was told")
		}
		p.change(func(s *session.Session) { s.MinGen, s.Permissions = 2, session.Permissions{"b"} })
		begin := time.Now()
		if m := c.expect(api.SocketUpdated); len(m.Permissions) != 1 || m.Permissions[0] != "b" || time.Since(begin) > soon {
			t.Errorf("%+v after %v", m, time.Since(begin))
		}
		c.closed(api.SocketReplaced, "")
	})
}

// REL-04: a store that cannot answer ends no socket.
func TestAnUnknownStoreClosesNoSocket(t *testing.T) {
	swim(t, func(p *pool) {
		p.open()
		p.mu.Lock()
		p.err = errors.New("the store is away")
		p.mu.Unlock()
		time.Sleep(30 * time.Minute)
		if p.sockets.Open() != 1 {
			t.Error("it was closed")
		}
	})
}

// A mistake of ours costs the sockets that meet it, and nothing else.
func TestAPanicClosesOneSocket(t *testing.T) {
	swim(t, func(p *pool) {
		c := p.open()
		p.mu.Lock()
		p.ours = errors.New("a mistake")
		p.mu.Unlock()
		if f := c.next(); f.err == nil {
			t.Errorf("%s", f.text)
		}
		synctest.Wait()
		p.mu.Lock()
		p.ours = nil
		p.mu.Unlock()
		p.open()
		if n := p.sockets.Open(); n != 1 {
			t.Errorf("%d are open", n)
		}
	})
}

// A client that is not there any more is noticed within the next ping and its
// time, and one that answers stays.
func TestADeadConnectionIsNoticed(t *testing.T) {
	swim(t, func(p *pool) {
		p.open()
		p.stall() // so that it answers nothing
		time.Sleep(pingEvery + pongWait + firstLook)
		synctest.Wait()
		if n := p.sockets.Open(); n != 1 {
			t.Errorf("%d are open", n)
		}
		time.Sleep(30 * time.Minute)
		if n := p.sockets.Open(); n != 1 {
			t.Errorf("%d are open half an hour later", n)
		}
	})
}

// WSS-05: a reader that stalls loses its socket, and nobody waits for it.
func TestASlowReaderHarmsNobody(t *testing.T) {
	swim(t, func(p *pool) {
		p.stall()
		quick := p.open()
		begin := time.Now()
		p.tell(session.Event{Kind: session.EventEnded, Reason: session.EndRevoked})
		quick.expect(api.SocketEnded)
		if took := time.Since(begin); took != 0 {
			t.Errorf("the other waited %v", took)
		}
		quick.closed(api.SocketSessionEnded, "")
		time.Sleep(writeWait + closeWait)
		synctest.Wait()
		if n := p.sockets.Open(); n != 0 {
			t.Errorf("%d are open", n)
		}
	})
}

// Who lets events pile up is told to open anew.
func TestADroppedListenerOpensAnew(t *testing.T) {
	swim(t, func(p *pool) {
		c := p.open()
		p.board.mu.Lock()
		for one := range p.board.subs {
			one.dropped = true
			p.board.drop(one)
		}
		p.board.mu.Unlock()
		c.closed(api.SocketTooSlow, "")
	})
}

// What is told of another session is told to nobody else.
func TestAnothersEventIsNoBusiness(t *testing.T) {
	swim(t, func(p *pool) {
		p.open()
		p.board.mu.Lock()
		for one := range p.board.subs {
			one.events <- session.Event{Kind: session.EventEnded, SessionID: token.NewID(token.Standard, time.Now()), Reason: session.EndRevoked}
			one.events <- session.Event{Kind: session.EventUpdated, SessionID: token.NewID(token.Standard, time.Now()), MinGen: 9}
		}
		p.board.mu.Unlock()
		time.Sleep(firstLook + time.Second)
		if p.sockets.Open() != 1 {
			t.Error("it closed")
		}
	})
}

// Even with a client that takes nothing, a shutdown is over soon.
func TestAShutdownWaitsForNobody(t *testing.T) {
	swim(t, func(p *pool) {
		p.stall()
		p.change(func(s *session.Session) { s.MinGen++ })
		p.tell(session.Event{Kind: session.EventUpdated, MinGen: 2})
		synctest.Wait() // it is being told, and does not read
		begin := time.Now()
		p.sockets.Shutdown()
		if took := time.Since(begin); took > hangUpWait {
			t.Errorf("it took %v", took)
		}
	})
}
