package session

import (
	"crypto/sha256"
	"time"

	"github.com/mentalverse/session/token"
)

// Type is one of the three kinds of session; each has a [Policy] of its own.
type Type string

// The types of session.
const (
	Standard     Type = "standard"
	Anonymous    Type = "anonymous"
	Professional Type = "professional"
)

// Types lists every type, in the order they are documented.
var Types = []Type{Standard, Anonymous, Professional}

// kind is the type's place in an id.
func (t Type) kind() token.Kind {
	switch t {
	case Anonymous:
		return token.Anonymous
	case Professional:
		return token.Professional
	default:
		return token.Standard
	}
}

// Valid reports whether t is one of [Types].
func (t Type) Valid() bool { return t == Standard || t == Anonymous || t == Professional }

// grain is how finely the times of a session of the type are kept. Finer ones
// of an anonymous session would tell whose it is to anyone who saw somebody
// come at that time.
func (t Type) grain() time.Duration {
	if t == Anonymous {
		return token.AnonymousBucket
	}
	return time.Second
}

// coarse is a moment as a session of the type keeps it, if it keeps finer than
// seconds at all.
func (t Type) coarse(now time.Time) time.Time {
	if t == Anonymous {
		return now.UTC().Truncate(t.grain())
	}
	return now.UTC().Truncate(time.Millisecond)
}

// EndReason says why a session ended. Ended is final.
type EndReason string

// The reasons of an end, as events and audit records carry them.
const (
	EndLogout         EndReason = "logout"          // its own holder asked
	EndRevoked        EndReason = "revoked"         // its subject, from another session, or the operator
	EndIdle           EndReason = "idle_timeout"    // no sign of the person
	EndAbsolute       EndReason = "session_ended"   // the absolute end was reached
	EndRefreshReuse   EndReason = "refresh_reuse"   // a superseded refresh token came back: theft
	EndLicenceChanged EndReason = "licence_changed" // a professional's right was taken away
	EndLimit          EndReason = "limit"           // a newer session of the same subject took its place
)

// Session is one sign-in of one subject. It is a value: the service works on
// copies and a [Store] keeps what a [Change] carries.
//
// All times are UTC; CreatedAt, AuthTime and the ends are whole seconds, the
// others whole milliseconds. Those of an anonymous session are whole five
// minutes; but SteppedAt, which the refresh rule needs, only from two minutes
// after the step on.
type Session struct {
	ID          token.ID
	Type        Type
	Subject     Subject
	Permissions Permissions
	DeviceLabel string // coarse, chosen by the client; "" when none was sent
	Reporting   bool   // the client reports its person's activity itself
	Channel     Channel

	CreatedAt time.Time
	AuthTime  time.Time // of the last credential shown
	SeenKeys  []KeyHash // session keys of delegations this session has seen

	TokenLife    time.Duration // how far one token reaches
	IdleLife     time.Duration // without a sign of the person
	ExpiresAt    time.Time     // of the current generation's token
	AbsoluteEnd  time.Time     // never moves
	LastActivity time.Time

	// The refresh state. Generation is the current one; UsedGen the newest whose
	// session token has been seen in use; tokens below MinGen are dead.
	Generation uint32
	UsedGen    uint32
	MinGen     uint32
	Cut        uint32 // the newest [Cut] when the session was made
	SteppedAt  time.Time
	Seed       [32]byte // this session's part of its refresh tokens' key

	RestoreEpoch uint32
	EndedAt      time.Time // zero while the session lives
	EndReason    EndReason // empty while the session lives

	// Version counts the commits of this row. It is the store's side of the
	// compare-and-swap: a change names the version it was made from.
	Version uint64
}

// KeyHash is the truncated SHA-256 of a public key.
type KeyHash [16]byte

// Receipt names the proof that opened an anonymous session. The proof itself is
// kept nowhere; of every other session it is empty.
func (s *Session) Receipt() string {
	if s.Type != Anonymous {
		return ""
	}
	sum := sha256.Sum256(append([]byte("mentalverse:receipt:"), s.ID[:]...))
	return "proof_" + lowerBase32.EncodeToString(sum[:10])
}

// Ended reports whether the session's end has been committed.
func (s *Session) Ended() bool { return !s.EndedAt.IsZero() }

// IdleEnd is when the session idles out if nothing more is seen of its person.
//
// A client that does not report activity cannot tell its person from a timer,
// so a standard or anonymous session of it counts from its token's end.
func (s *Session) IdleEnd() time.Time {
	from := s.LastActivity
	if !s.Reporting && s.Type != Professional && s.ExpiresAt.After(from) {
		from = s.ExpiresAt
	}
	if s.Type == Anonymous { // LastActivity was up to that much later
		from = from.Add(s.Type.grain())
	}
	end := from.Add(s.IdleLife).Truncate(time.Second)
	if end.After(s.AbsoluteEnd) {
		return s.AbsoluteEnd
	}
	return end
}

// EndedBy reports which of the session's ends has been reached at now, and
// EndReason "" when none has. The absolute end wins where both are.
func (s *Session) EndedBy(now time.Time) EndReason {
	switch {
	case !now.Before(s.AbsoluteEnd):
		return EndAbsolute
	case !now.Before(s.IdleEnd()):
		return EndIdle
	}
	return ""
}

// Alive reports whether the session is neither ended nor past one of its ends.
func (s *Session) Alive(now time.Time) bool { return !s.Ended() && s.EndedBy(now) == "" }

// accepts reports whether session tokens of a generation, which somebody has,
// open the session: the newest and the one before, which may be on its way.
func (s *Session) accepts(generation uint32) bool {
	return generation >= s.MinGen && generation <= s.Generation && generation+1 >= s.Generation
}

// authenticatedWithin reports whether a credential was shown at most d before
// now. One of the future, shown to a clock that has been set back since, may be
// of any age.
func (s *Session) authenticatedWithin(d time.Duration, now time.Time) bool {
	age := now.Sub(s.AuthTime)
	if s.Type == Anonymous { // it was shown up to that much later
		d += s.Type.grain()
	}
	return age <= d && age >= -keyActivationGap
}

// end is s after its end for reason at now. The moment of an anonymous session's
// last step is forgotten at once: nothing asks for it any more, and no row that
// has ended is written again.
func (s Session) end(reason EndReason, now time.Time) Session {
	s.EndedAt, s.EndReason, s.SteppedAt = s.Type.coarse(now), reason, s.Type.coarse(s.SteppedAt)
	return s
}

// step is s one generation on, its token reaching as far as its life and the
// absolute end allow.
func (s Session) step(now time.Time) Session {
	s.Generation++
	s.SteppedAt = now.Truncate(time.Millisecond)
	s.ExpiresAt = s.tokenEnd(now)
	return s
}

// blurAt is when the moment of the last step is to be forgotten: when the
// refresh rule no longer asks for it. Zero if there is nothing to forget.
func (s *Session) blurAt() time.Time {
	if s.Type != Anonymous || s.SteppedAt.Equal(s.Type.coarse(s.SteppedAt)) {
		return time.Time{}
	}
	return s.SteppedAt.Add(refreshSoft + time.Second)
}

// blurred is s with a step of long ago as coarse as its other times.
func (s Session) blurred(now time.Time) Session {
	if at := s.blurAt(); !at.IsZero() && !now.Before(at) {
		s.SteppedAt = s.Type.coarse(s.SteppedAt)
	}
	return s
}

// elevate is s one generation on with every earlier token dead: what
// reauthentication and a change of permissions do.
func (s Session) elevate(now time.Time) Session {
	s = s.step(now)
	s.MinGen = s.Generation
	return s
}

func (s *Session) tokenEnd(now time.Time) time.Time {
	end := now.UTC().Truncate(s.Type.grain()).Add(s.TokenLife)
	if end.After(s.AbsoluteEnd) {
		return s.AbsoluteEnd
	}
	return end
}
