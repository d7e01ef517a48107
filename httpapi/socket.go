package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/coder/websocket"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// The rhythm of a socket.
const (
	expiringAhead = 2*time.Minute + 5*time.Second // WCAG 2.2.1 wants two minutes; the message is on its way for some of it
	pingEvery     = 30 * time.Second              // and the session is looked at as often
	pongWait      = 10 * time.Second
	writeWait     = 5 * time.Second
	closeWait     = time.Second     // for the client's own close
	hangUpWait    = 3 * time.Second // for all sockets to close when the server stops
	firstLook     = time.Second     // what was committed while the socket opened is seen at the latest then
	soon          = 50 * time.Millisecond
)

// watched is what sockets ask of the service.
type watched interface {
	// Look returns a session as it stands. It is no sign of its person.
	Look(context.Context, token.ID) (session.Session, error)
	Now() time.Time
}

// socket tells the events of one session to one client. Nothing that it does or
// hears is a sign of the person. It belongs to the session, not to the token
// that it was opened with, whose time may come to its end; but it ends with the
// tokens that a reauthentication replaces, so that a thief's does not outlive
// them.
type socket struct {
	set     *Sockets
	service watched
	seat    seat
	heard   Subscription
	conn    *websocket.Conn
	wire    *wire
	gone    chan struct{} // closed when nothing is read any more

	licence time.Time // its end, if that is near
	minGen  uint32    // of the session when the socket was opened
	awaited uint32    // MinGen of an event; what is older has not seen it
	warned  time.Time // the end that was told of
	pinged  time.Time
}

// run tells events until the socket is closed.
func (s *socket) run() {
	defer s.end()
	defer s.rescue()
	go s.read()
	s.pinged = time.Now()
	look := time.NewTimer(firstLook)
	defer look.Stop()
	for {
		select {
		case <-s.gone:
			// It closed, or broke off, or said something. In any case it is not worth waiting.
			late := time.AfterFunc(closeWait, func() { s.wire.Close() })
			s.close(api.SocketMisused, "nothing is expected of a client")
			late.Stop()
			return
		case <-s.set.going:
			s.close(websocket.StatusGoingAway, "the service stops")
			return
		case e, ok := <-s.heard.Events():
			if !ok {
				s.unheard()
				return
			}
			if !s.hear(e) {
				return
			}
		case <-look.C:
			s.ping()
		}
		next, ok := s.look()
		if !ok {
			return
		}
		look.Reset(next)
	}
}

// end gives back what the socket holds.
func (s *socket) end() {
	s.conn.CloseNow()
	<-s.gone
	s.heard.Close()
	s.set.remove(s)
	s.set.leave(s.seat)
}

// rescue keeps a mistake of ours from ending the whole service for one socket.
// The panic's value may hold anything: its type is all that is told.
func (s *socket) rescue() {
	if p := recover(); p != nil {
		s.set.opts.Log.Error("panic", slog.String("type", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
		s.wire.Close()
	}
}

// read answers pings and takes pongs, until the client closes, sends a message
// or is gone.
func (s *socket) read() {
	defer close(s.gone)
	defer s.rescue()
	s.conn.Reader(context.Background())
}

// ping asks a client that was not asked for a while whether it is there. Nobody
// waits for its answer.
func (s *socket) ping() {
	if now := time.Now(); now.Sub(s.pinged) >= pingEvery {
		s.pinged = now
		s.set.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), pongWait)
			defer cancel()
			if s.conn.Ping(ctx) != nil {
				s.wire.Close()
			}
		})
	}
}

// unheard closes a socket that hears no more events.
func (s *socket) unheard() {
	if s.heard.Dropped() {
		s.close(api.SocketTooSlow, "events were not taken in time")
		return
	}
	s.close(websocket.StatusGoingAway, "the service stops")
}

// hear takes an event. It returns false when the socket was closed for it.
func (s *socket) hear(e session.Event) bool {
	switch {
	case e.SessionID != s.seat.session:
		return true // a cut of many; another's is none of its business
	case e.Kind == session.EventEnded:
		s.tellEnd(e.Reason)
		return false
	case e.Kind == session.EventUpdated:
		s.awaited = max(s.awaited, e.MinGen)
	}
	return true
}

// look tells what the client must know of the session as it stands, and returns
// when to look again; false when the socket was closed.
func (s *socket) look() (next time.Duration, open bool) {
	row, err := s.service.Look(context.Background(), s.seat.session)
	switch {
	case session.CodeOf(err) == session.CodeNotFound:
		s.tellEnd(session.EndRevoked)
		return 0, false
	case err != nil:
		return firstLook, true // unknown is no end
	case row.Ended():
		s.tellEnd(row.EndReason)
		return 0, false
	case row.MinGen < s.awaited:
		return soon, true // the event was faster than what it tells of
	case row.MinGen > s.minGen:
		if s.tell(api.Updated{Event: api.SocketUpdated, Permissions: list(row.Permissions)}) {
			s.close(api.SocketReplaced, "opened with tokens that were replaced")
		}
		return 0, false
	}
	return s.lookAhead(&row)
}

// lookAhead tells of an end that is near. The idle end may have moved since it
// was last looked at, and may move again.
func (s *socket) lookAhead(row *session.Session) (next time.Duration, open bool) {
	end, reason := row.IdleEnd(), session.EndIdle
	if !end.Before(row.AbsoluteEnd) {
		end, reason = row.AbsoluteEnd, session.EndAbsolute
	}
	left := end.Sub(s.service.Now())
	switch {
	case left <= 0:
		return firstLook, true // whoever commits the end tells of it
	case left > expiringAhead:
		return min(pingEvery, left-expiringAhead), true
	case !s.warned.Equal(end):
		s.warned = end
		if !s.tell(api.Expiring{Event: api.SocketExpiring, Reason: string(reason), EndsIn: int64(seconds(left))}) {
			return 0, false
		}
	}
	return min(pingEvery, left), true
}

// greet tells how the session stands. It is the first message. A client that has
// gone meanwhile is noticed by the reader.
func (s *socket) greet(row *session.Session) {
	s.tell(api.Ready{
		Event: api.SocketReady, SessionID: row.ID.String(), SessionType: string(row.Type), Permissions: list(row.Permissions),
		IdleExpiresAt: stamp(row.IdleEnd()), SessionExpiresAt: stamp(row.AbsoluteEnd),
	})
	if !s.licence.IsZero() {
		s.tell(api.LicenceExpiring{Event: api.SocketLicence, VerifiedUntil: stamp(s.licence)})
	}
}

func (s *socket) tellEnd(reason session.EndReason) {
	if s.tell(api.Ended{Event: api.SocketEnded, Reason: string(reason)}) {
		s.close(api.SocketSessionEnded, string(reason))
	}
}

// tell writes a message. A client that does not take it in time has lost its
// connection then.
func (s *socket) tell(message any) bool {
	text, err := json.Marshal(message)
	if err != nil {
		panic(err) // the API's own types always marshal
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeWait)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, text) == nil
}

// close closes the socket, and breaks the connection if the client does not
// close it too.
func (s *socket) close(code websocket.StatusCode, reason string) {
	late := time.AfterFunc(writeWait+closeWait, func() { s.wire.Close() })
	defer late.Stop()
	s.wire.closing.Store(true)
	s.conn.Close(code, reason)
}
