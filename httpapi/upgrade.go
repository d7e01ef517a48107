package httpapi

import (
	"net/http"
	"time"

	"github.com/coder/websocket"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

const socketPath = api.BasePath + "/sessions/events"

// socketRoutes are the calls of sockets.
func (p *public) socketRoutes() []route {
	return []route{
		{socketed, "GET", socketPath, p.events, nil, false, byHandler},
		{holder, "POST", socketPath + "/ticket", get(p.ticket), nil, false, metered},
	}
}

func (p *public) ticket(r *http.Request, c call) (api.SocketTicket, error) {
	ticket, err := p.service.Ticket(r.Context(), c.session)
	return api.SocketTicket{Ticket: ticket.Reveal(), ExpiresIn: int(session.TicketLife / time.Second)}, err
}

var (
	errSocketAlone = refuse(http.StatusUnauthorized, api.SessionInvalid, "Open the socket with a ticket, or from a page with the session's cookies.")
	errSocketOver  = refuse(http.StatusUnauthorized, api.SessionInvalid, "This session is not valid. Sign in again.")
	errSocketToken = refuse(http.StatusBadRequest, api.InvalidRequest, "No session token opens a socket. Ask for a ticket.")
)

// events opens a socket. Where it comes from was checked before.
func (p *public) events(w http.ResponseWriter, r *http.Request, c call) error {
	if err := readBody(w, r, &api.Empty{}, true); err != nil {
		return err
	}
	ticket, err := readHandshake(r)
	if err != nil {
		return err
	}
	who, err := p.asker(r, &c, ticket)
	if err != nil {
		return err
	}
	at := seat{session: who.id, address: p.sockets.addressOf(c.count.limits, r)}
	if limit, err := p.sockets.enter(at); err != nil {
		if limit != "" {
			p.refused(limit)
		}
		return err
	}
	opened := false
	defer func() {
		if !opened {
			p.sockets.leave(at)
		}
	}()
	err = p.open(w, r, &socket{set: p.sockets, service: p.service, seat: at}, who)
	opened = err == nil
	return err
}

// open lets a socket in: with the session's events followed first, and the
// session looked at then, nothing that ends it is missed.
func (p *public) open(w http.ResponseWriter, r *http.Request, s *socket, who asker) error {
	row, err := who.prove(r)
	if err != nil {
		return err
	}
	s.minGen = row.MinGen
	s.heard = p.sockets.opts.Subscribe(row.ID)
	if row, err = p.service.Look(r.Context(), row.ID); err == nil && !row.Alive(p.service.Now()) {
		err = errSocketOver
	}
	if err == nil {
		s.licence, err = p.service.LicenceEnd(r.Context(), row)
	}
	if err != nil {
		s.heard.Close()
		return err
	}
	s.accept(w, r, &row)
	return nil
}

// accept answers the handshake and begins to tell. It panics with
// http.ErrAbortHandler if the connection broke.
func (s *socket) accept(w http.ResponseWriter, r *http.Request, row *session.Session) {
	taken := &taker{ResponseWriter: w}
	var err error
	s.conn, err = websocket.Accept(taken, r, &websocket.AcceptOptions{
		Subprotocols:       []string{api.SocketProtocol},
		InsecureSkipVerify: true, // the origin was checked exactly
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		s.heard.Close()
		panic(http.ErrAbortHandler)
	}
	s.wire, s.gone = taken.wire, make(chan struct{})
	s.set.add(s)
	s.greet(row)
	go s.run()
}

// asker is who asks for a socket: the session that a genuine ticket or cookie
// names, and what proves that it may be opened.
type asker struct {
	id    token.ID
	prove func(*http.Request) (session.Session, error)
}

// asker reads the ticket or the cookie, charges the request to its session, and
// keeps people and pseudonyms apart. A browser sends its cookies with every
// handshake, so beside a ticket they count for nothing.
func (p *public) asker(r *http.Request, c *call, ticket string) (who asker, err error) {
	if !c.session.IsZero() && !c.cookies {
		return asker{}, errSocketToken
	}
	genuine := false
	if ticket != "" {
		var t session.Ticket
		t, err = p.service.ReadTicket(ticket)
		genuine = err == nil
		who = asker{t.SessionID, func(r *http.Request) (session.Session, error) { return p.service.Redeem(r.Context(), t) }}
	} else {
		c.session, who.id, genuine = p.service.Recognise(c.session)
		shown := c.session
		who.prove = func(r *http.Request) (session.Session, error) {
			return p.service.Validate(r.Context(), shown, session.Requirement{MaxAge: -1}, session.Glance)
		}
		if !genuine {
			err = errSocketAlone
		}
	}
	if e := c.count.session(who.id, genuine); e != nil {
		return asker{}, e
	}
	if err != nil {
		return asker{}, err
	}
	if !c.apart && who.id.Kind() == token.Anonymous && c.cookies {
		return asker{}, errMixed
	}
	return who, c.mayBeHere(who.id, true)
}
