package api

// SocketProtocol is the subprotocol of GET /sessions/events (RFC 6455, section
// 1.9). The server selects it and no other.
const SocketProtocol = "mentalverse.session.v1"

// TicketProtocol and a ticket behind it, offered beside [SocketProtocol], is how
// a ticket travels. The server does not repeat it.
const TicketProtocol = "mentalverse.ticket."

// SocketTicket is the answer of POST /sessions/events/ticket.
type SocketTicket struct {
	Ticket    string `json:"ticket"`     // opens one socket, once
	ExpiresIn int    `json:"expires_in"` // seconds
}

// The events that a socket tells, as JSON texts with their name in event.
const (
	SocketReady    = "session.ready"
	SocketExpiring = "session.expiring"
	SocketUpdated  = "session.updated"
	SocketEnded    = "session.ended"
	SocketLicence  = "licence.expiring"
)

// Ready is the first message of a socket: how its session stands. From then on
// nothing is missed.
type Ready struct {
	Event            string   `json:"event"`
	SessionID        string   `json:"session_id"`
	SessionType      string   `json:"session_type"`
	Permissions      []string `json:"permissions"`
	IdleExpiresAt    string   `json:"idle_expires_at"`
	SessionExpiresAt string   `json:"session_expires_at"`
}

// LicenceExpiring follows the greeting of a professional session whose licence
// ends within thirty days.
type LicenceExpiring struct {
	Event         string `json:"event"`
	VerifiedUntil string `json:"verified_until"`
}

// Expiring tells that an end of the session is about two minutes away. Activity
// moves an idle end, and nothing tells of that: it is told anew when it comes
// near again.
type Expiring struct {
	Event  string `json:"event"`
	Reason string `json:"reason"`  // idle_timeout or session_ended
	EndsIn int64  `json:"ends_in"` // seconds
}

// Updated tells that earlier tokens of the session are dead: its permissions
// changed, or its person was authenticated anew. The socket then closes with
// [SocketReplaced].
type Updated struct {
	Event       string   `json:"event"`
	Permissions []string `json:"permissions"`
}

// Ended tells that the session has ended. The socket then closes with
// [SocketSessionEnded].
type Ended struct {
	Event  string `json:"event"`
	Reason string `json:"reason"`
}

// The codes that sockets close with, besides those of RFC 6455, section 7.4.1:
// 1001 when the server stops.
const (
	SocketSessionEnded = 4001 // the reason says why
	SocketTooSlow      = 4002 // its client did not read: open it anew
	SocketMisused      = 4003 // its client sent what nobody expects
	SocketReplaced     = 4004 // the tokens that it was opened with are dead: open it anew with the new ones
)
