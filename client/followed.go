package client

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// followed is a session that was asked about: what was answered, and what its
// tokens have said since. But for what is atomic it never changes.
type followed struct {
	session Session
	id      token.ID
	first   token.Claims // of the token that was asked about
	minGen  uint32       // tokens of a generation below are dead
	idleEnd time.Time    // as far as is known: asked about again when it is reached
	refusal *Error       // of a session that has ended, which is final; else nil

	genuine  tags
	newest   atomic.Uint32 // generation of which a token was seen, by the service or here
	reported atomic.Uint32 // generation of which the session service knows
	active   atomic.Bool   // its person's being here is waiting to be reported
	used     atomic.Bool   // since the cache's hand came by
}

// newFollowed reads the answer about a token.
func newFollowed(claims token.Claims, t tag, v *api.ServiceValidation) (*followed, error) {
	f := &followed{id: claims.SessionID, first: claims, minGen: v.MinGen}
	f.session = Session{
		ID: v.SessionID, Type: v.SessionType, UserID: v.UserID, AnonymousID: v.AnonymousID, Principal: v.Principal, Address: v.Address,
		ProfessionalID: v.ProfessionalID, VerificationLevel: v.VerificationLevel, permissions: slices.Clone(v.Permissions),
	}
	slices.Sort(f.session.permissions)
	var errs [3]error
	f.session.AuthTime, errs[0] = readTime(v.AuthTime)
	f.session.SessionExpiresAt, errs[1] = readTime(v.SessionExpiresAt)
	f.idleEnd, errs[2] = readTime(v.IdleExpiresAt)
	if errors.Join(errs[:]...) != nil || v.SessionID != claims.SessionID.String() || v.SessionType != claims.Type || claims.Generation > v.Generation {
		return nil, errors.New("a validation that is not of this token")
	}
	f.genuine.add(t)
	f.newest.Store(v.Generation)
	f.reported.Store(claims.Generation)
	return f, nil
}

func readTime(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }

// continues reports whether a token that was not seen yet, and is genuine, says of
// the session what the one said that was asked about. A permission that was given,
// an authentication that was renewed: the session has to be asked about anew.
func (f *followed) continues(c *token.Claims) bool {
	return c.Issuer == f.first.Issuer && c.Subject == f.first.Subject && c.Type == f.first.Type &&
		c.AuthTime.Equal(f.first.AuthTime) && slices.Equal(c.Scope, f.first.Scope)
}

// over reports whether an end was reached as far as is known here. The idle end
// may have moved meanwhile, and what became of the session is not ours to say.
func (f *followed) over(now time.Time) bool {
	return f.refusal == nil && (!now.Before(f.idleEnd) || !now.Before(f.session.SessionExpiresAt))
}

// admit says whether a genuine token opens the session: its generation and its
// time.
func (f *followed) admit(c *token.Claims, now time.Time) *Error {
	if f.refusal != nil {
		return f.refusal
	}
	if raise(&f.newest, c.Generation); c.Generation < f.minGen || c.Generation+1 < f.newest.Load() {
		return errTokenExpired
	}
	if c.Check(now) != nil {
		return errTokenExpired // one of the future is over until its time comes
	}
	return nil
}

// raise makes n at least v, and reports whether it was less.
func raise(n *atomic.Uint32, v uint32) bool {
	for {
		old := n.Load()
		if old >= v {
			return false
		}
		if n.CompareAndSwap(old, v) {
			return true
		}
	}
}
