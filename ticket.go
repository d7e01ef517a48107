package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/mentalverse/session/token"
)

// TicketLife is how long a ticket may be used.
const TicketLife = 30 * time.Second

// A ticket opens one socket for the events of one session, where a session
// token cannot travel: browsers send no header of a page's with a handshake,
// and addresses are written down everywhere. In bytes it is its version, the
// session's id, its issue time in big-endian seconds, the session's MinGen,
// 128 random bits and an HMAC-SHA-256 over all of that and the restore epoch;
// in text unpadded base64url, none of it slack.
const (
	ticketVersion = 1
	ticketIssued  = 1 + len(token.ID{})
	ticketMinGen  = ticketIssued + 4
	ticketRandom  = ticketMinGen + 4
	ticketBody    = ticketRandom + 16
	ticketLen     = ticketBody + sha256.Size

	// TicketTextLen is the length of a ticket's text.
	TicketTextLen = ticketLen / 3 * 4
)

// Ticket is one that was made here and whose time is not over. It may have been
// used, and its session may have ended: see [Service.Redeem].
type Ticket struct {
	SessionID token.ID
	minGen    uint32
	nonce     UsedNonce
}

var (
	errTicketForged  = errors.New("the ticket was not made here")
	errTicketExpired = errors.New("the ticket's time is over")
)

func ticketInvalid(cause error) *Error {
	return Refuse(CodeCredentialInvalid, "This ticket is unknown, used or too old. Ask for a new one.", cause)
}

// ticketKey makes and checks tickets. Raising the restore epoch voids them all.
type ticketKey struct {
	key   [32]byte
	epoch uint32
}

func (k *ticketKey) mac(body []byte) []byte {
	h := hmac.New(sha256.New, k.key[:])
	h.Write(body)
	var epoch [4]byte
	binary.BigEndian.PutUint32(epoch[:], k.epoch)
	h.Write(epoch[:])
	return h.Sum(nil)
}

func (k *ticketKey) issue(row *Session, now time.Time) string {
	var b [ticketLen]byte
	b[0] = ticketVersion
	copy(b[1:], row.ID[:])
	binary.BigEndian.PutUint32(b[ticketIssued:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(b[ticketMinGen:], row.MinGen)
	rand.Read(b[ticketRandom:ticketBody])
	copy(b[ticketBody:], k.mac(b[:ticketBody]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open reads a ticket. The key of its nonce begins with the issue time, as
// coarse as the session's other times.
func (k *ticketKey) open(text string, now time.Time) (t Ticket, err error) {
	var b [ticketLen]byte
	// The decoder would skip line breaks.
	if len(text) != TicketTextLen || strings.ContainsAny(text, "\r\n") {
		return Ticket{}, errTicketForged
	}
	if _, err := base64.RawURLEncoding.Decode(b[:], []byte(text)); err != nil {
		return Ticket{}, errTicketForged
	}
	if b[0] != ticketVersion || !hmac.Equal(b[ticketBody:], k.mac(b[:ticketBody])) {
		return Ticket{}, errTicketForged
	}
	copy(t.SessionID[:], b[1:])
	issued := time.Unix(int64(binary.BigEndian.Uint32(b[ticketIssued:])), 0).UTC()
	if !now.Before(issued.Add(TicketLife)) || now.Before(issued.Add(-time.Minute)) {
		return Ticket{}, errTicketExpired
	}
	t.minGen = binary.BigEndian.Uint32(b[ticketMinGen:])
	if t.SessionID.Kind() == token.Anonymous {
		issued = Anonymous.coarse(issued)
	}
	binary.BigEndian.PutUint32(t.nonce.Key[:], uint32(issued.Unix()))
	copy(t.nonce.Key[4:], b[ticketRandom:ticketBody])
	return t, nil
}

// Ticket returns a ticket for the session that a session token opens. It stores
// nothing, and asking for one is no sign of the person.
func (s *Service) Ticket(ctx context.Context, sessionToken Secret) (Secret, error) {
	row, err := s.authenticate(ctx, sessionToken, Glance)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(Header, s.keys.ticket.issue(&row, s.now())), nil
}

// ReadTicket reads a ticket's text. It asks no store. CodeCredentialInvalid for
// all that is not a ticket of now.
func (s *Service) ReadTicket(text string) (Ticket, error) {
	t, err := s.keys.ticket.open(text, s.now())
	if err != nil {
		return Ticket{}, ticketInvalid(err)
	}
	return t, nil
}

// Redeem uses a ticket up and returns its session, which lives. Of simultaneous
// uses of one ticket one succeeds. A ticket dies with the session token that it
// was issued for: reauthentication and a change of permissions void it.
func (s *Service) Redeem(ctx context.Context, t Ticket) (Session, error) {
	now := s.now()
	row, err := s.session(ctx, t.SessionID)
	switch {
	case errors.Is(err, ErrNotFound):
		return Session{}, errInvalid(err)
	case err != nil:
		return Session{}, unavailable(err)
	case row.EndReason == EndIdle, row.EndReason == EndAbsolute:
		return Session{}, expired(string(row.EndReason))
	case row.Ended():
		return Session{}, errInvalid(errors.New("ended: " + string(row.EndReason)))
	case row.EndedBy(now) != "":
		return Session{}, s.expire(ctx, row, now)
	case row.MinGen != t.minGen:
		return Session{}, ticketInvalid(errors.New("issued for a token that is dead"))
	}
	switch err := s.commit(ctx, Change{Nonce: &t.nonce}); {
	case errors.Is(err, ErrNonceUsed):
		return Session{}, ticketInvalid(err)
	case err != nil:
		return Session{}, unavailable(err)
	}
	return row, nil
}

// Look returns a session as it stands, whoever asks: nothing is learned from it
// of the person. It may have ended, or have reached an end that is not committed
// yet. CodeNotFound when there is none any more.
func (s *Service) Look(ctx context.Context, id token.ID) (Session, error) {
	row, err := s.session(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return Session{}, Refuse(CodeNotFound, "There is no such session.", err)
	case err != nil:
		return Session{}, unavailable(err)
	}
	return row, nil
}
