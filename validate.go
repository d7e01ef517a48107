package session

import (
	"context"
	"errors"
	"time"

	"github.com/mentalverse/session/token"
)

// Presence says what a use of a session tells of its person.
type Presence int

// The kinds of use.
const (
	Glance   Presence = iota // authenticates only: tells nothing of the person
	Poll                     // a call that counts only for clients that do not report activity
	Personal                 // the person did something
)

// Requirement is what a caller of Validate asks of the session.
type Requirement struct {
	Permissions []string
	MaxAge      time.Duration // of the authentication; any when negative
}

// Validate tells whether a session token opens its session now and may do what
// is required. An [Error] with CodeExpired only to the holder of a genuine
// token; CodeInvalid for all else.
func (s *Service) Validate(ctx context.Context, sessionToken Secret, r Requirement, p Presence) (row Session, err error) {
	if err := s.authenticateInto(ctx, sessionToken, p, &row); err != nil {
		return Session{}, err
	}
	if missing := row.Permissions.Lacking(r.Permissions...); missing != nil {
		return Session{}, denied(missing)
	}
	for _, p := range r.Permissions {
		if s.policies[row.Type].Sensitive.Has(p) && !row.authenticatedWithin(FreshAuthentication, s.now()) {
			return Session{}, stale(FreshAuthentication)
		}
	}
	if r.MaxAge >= 0 && !row.authenticatedWithin(r.MaxAge, s.now()) {
		return Session{}, stale(r.MaxAge)
	}
	return row, nil
}

// Remaining returns the whole seconds to the end of the session's current
// token, never negative.
func (s *Service) Remaining(row Session) int64 {
	return max(0, int64(row.ExpiresAt.Sub(s.now())/time.Second))
}

func stale(maxAge time.Duration) *Error {
	return &Error{Code: CodeReauthentication, Message: "This needs a fresh proof that it is you.", MaxAge: int(maxAge / time.Second)}
}

// authenticate returns the live session a session token opens, and notes that
// its generation is in use and what that tells of the person.
func (s *Service) authenticate(ctx context.Context, sessionToken Secret, p Presence) (row Session, err error) {
	if err := s.authenticateInto(ctx, sessionToken, p, &row); err != nil {
		return Session{}, err
	}
	return row, nil
}

// authenticateInto is authenticate into a zero session, of which an error makes
// no sense.
func (s *Service) authenticateInto(ctx context.Context, sessionToken Secret, p Presence, row *Session) error {
	now := s.now()
	claims, err := s.claimed(ctx, sessionToken, row)
	if err != nil {
		return err
	}
	switch {
	case claims.Generation > row.Generation:
		s.alarmRollback(row.ID)
		return errInvalid(errRollback)
	case !row.accepts(claims.Generation):
		return expired(ReasonTokenExpired)
	}
	if reason := row.EndedBy(now); reason != "" {
		return s.expire(ctx, *row, now)
	}
	if claims.Check(now) != nil {
		return expired(ReasonTokenExpired)
	}
	var activity time.Time
	if p == Personal || p == Poll && !row.Reporting {
		activity = row.Type.coarse(now)
	}
	s.live.see(row, claims.Generation, activity, now)
	if activity.After(row.LastActivity) {
		row.LastActivity = activity
	}
	return nil
}

// genuine reads a session token that was made here, of now or not.
func (s *Service) genuine(sessionToken Secret) *reading {
	if sessionToken.read != nil {
		return sessionToken.read
	}
	keys := s.keys.current.Load()
	tag := keys.tags.of(sessionToken.text)
	checked := false
	// The signature of a text is checked once while its session stands in memory.
	claims, err := keys.set.Genuine(sessionToken.text, func(id token.ID) bool {
		checked = !s.live.remembers(id, tag)
		return !checked
	})
	if err == nil && checked {
		s.live.remember(claims.SessionID, tag)
	}
	return &reading{claims, err}
}

// Recognise returns a session token with what it was found to be, so that one
// request reads it once, and the id that it names if it is genuine: whether it
// still opens anything or not. It asks no store.
func (s *Service) Recognise(sessionToken Secret) (Secret, token.ID, bool) {
	r := s.genuine(sessionToken)
	sessionToken.read = r
	return sessionToken, r.claims.SessionID, r.err == nil
}

// claimed reads the session that a genuine token names, of now or not, into a
// zero one. The session is not yet ended, or the error says so.
func (s *Service) claimed(ctx context.Context, sessionToken Secret, row *Session) (*token.Claims, error) {
	r := s.genuine(sessionToken)
	if r.err != nil {
		return nil, errInvalid(r.err)
	}
	err := s.find(ctx, r.claims.SessionID, row)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errInvalid(err)
	case err != nil:
		return nil, unavailable(err)
	case row.Channel != sessionToken.channel:
		return nil, errInvalid(errChannel)
	case row.EndReason == EndIdle, row.EndReason == EndAbsolute:
		return nil, expired(string(row.EndReason))
	case row.Ended():
		return nil, errInvalid(errors.New("ended: " + string(row.EndReason)))
	}
	return &r.claims, nil
}

// expire commits an end that has been reached and returns the refusal. The
// stored end is read again first: another node may have seen the person.
func (s *Service) expire(ctx context.Context, row Session, now time.Time) error {
	reason, err := s.endIfReached(ctx, row.ID, now)
	if err != nil {
		return unavailable(err)
	}
	if reason == "" {
		return unavailable(errContention) // it was extended meanwhile: ask again
	}
	return expired(string(reason))
}

// endIfReached commits the end of a session if its stored state, with what was
// seen here, has reached one. It returns the reason of the end, whoever
// committed it, and "" if the session lives.
func (s *Service) endIfReached(ctx context.Context, id token.ID, now time.Time) (EndReason, error) {
	for range maxAttempts {
		row, err := s.reread(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return EndRevoked, nil
		}
		if err != nil {
			return "", err
		}
		if row.Ended() {
			return row.EndReason, nil
		}
		reason := row.EndedBy(now)
		if reason == "" {
			s.live.wake(id, now, now)
			return "", nil
		}
		err = s.commitEnd(ctx, row, reason, now, "")
		if !errors.Is(err, ErrConflict) {
			return reason, err
		}
	}
	return "", errContention
}

// reread returns the stored session with what was seen of it here.
func (s *Service) reread(ctx context.Context, id token.ID) (Session, error) {
	mark := s.live.mark(id)
	row, err := s.read(ctx, id)
	if err != nil {
		return Session{}, err
	}
	row, _ = s.live.keepRead(row, mark, s.now())
	return row, nil
}

func (s *Service) commitEnd(ctx context.Context, row Session, reason EndReason, now time.Time, requestID string) error {
	ended := row.end(reason, now)
	c := Change{Update: []Session{ended}}
	c.note(EventEnded, ActionEnd, ended, now, requestID)
	return s.commit(ctx, c)
}

// errChannel tells of a secret that came by another channel than it was issued for.
var errChannel = errors.New("issued for another channel")

// NamesRefresh returns a refresh token with what it was found to be, so that one
// request opens it once, and the id that it names. Only its tag is checked: that
// it was made here, not that the session is still the one it was made for.
func (s *Service) NamesRefresh(refreshToken Secret) (Secret, token.ID, bool) {
	shown, err := s.opened(refreshToken)
	if err != nil {
		return refreshToken, token.ID{}, false
	}
	refreshToken.opened = &shown
	return refreshToken, shown.SessionID, true
}

// opened reads a refresh token whose tag is ours.
func (s *Service) opened(refreshToken Secret) (token.Refresh, error) {
	if refreshToken.opened != nil {
		return *refreshToken.opened, nil
	}
	return s.keys.refresh.Open(refreshToken.text)
}

var errRollback = errors.New("a genuine token is newer than the stored session")

// alarmRollback names no anonymous session: the log's line has a fine time.
func (s *Service) alarmRollback(id token.ID) {
	name := id.String()
	if id.Kind() == token.Anonymous {
		name = "anonymous"
	}
	s.log.Error("store_rollback: a genuine token is newer than the stored session; was an old backup restored without raising the restore epoch?", "session_id", name)
	s.observer.Alarm("store_rollback")
}
