package session

import (
	"context"
	"errors"

	"github.com/mentalverse/session/token"
)

// Logout ends the session that a session token or a refresh token names. Any
// genuine token will do, however old; an unknown or ended session is no error.
// An error means that the outcome is unknown.
func (s *Service) Logout(ctx context.Context, sessionToken, refreshToken Secret, requestID string) error {
	for range maxAttempts {
		row, ok, err := s.named(ctx, sessionToken, refreshToken)
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		switch err := s.commitEnd(ctx, row, EndLogout, s.now(), requestID); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrConflict):
			return unavailable(err)
		}
	}
	return unavailable(errContention)
}

// named returns the live session that one of the tokens genuinely names.
func (s *Service) named(ctx context.Context, sessionToken, refreshToken Secret) (Session, bool, error) {
	if !sessionToken.IsZero() {
		var row Session
		_, err := s.claimed(ctx, sessionToken, &row)
		switch {
		case err == nil:
			return row, true, nil
		case CodeOf(err) == CodeUnavailable:
			return Session{}, false, err
		}
	}
	shown, err := s.keys.refresh.Open(refreshToken.text)
	if err != nil {
		return Session{}, false, nil
	}
	row, err := s.session(ctx, shown.SessionID)
	if errors.Is(err, ErrNotFound) {
		return Session{}, false, nil
	}
	if err != nil {
		return Session{}, false, unavailable(err)
	}
	return row, !row.Ended() && row.Channel == refreshToken.channel && s.keys.refresh.Session(row.Seed).Genuine(shown), nil
}

// List returns the live sessions of the session's subject, oldest first, and
// which of them asked. An anonymous session sees only itself.
func (s *Service) List(ctx context.Context, sessionToken Secret) (current Session, all []Session, err error) {
	current, err = s.authenticate(ctx, sessionToken, Poll)
	if err != nil {
		return Session{}, nil, err
	}
	all, err = s.siblings(ctx, current)
	return current, all, err
}

func (s *Service) siblings(ctx context.Context, current Session) ([]Session, error) {
	if current.Type == Anonymous {
		return []Session{current}, nil
	}
	return s.SessionsOf(ctx, current.Subject.ID)
}

// SessionsOf returns the live sessions of a subject, oldest first.
func (s *Service) SessionsOf(ctx context.Context, subjectID string) ([]Session, error) {
	roster, err := s.store.Roster(ctx, subjectID)
	if err != nil {
		return nil, unavailable(err)
	}
	now := s.now()
	var all []Session
	for _, id := range roster.Sessions {
		row, err := s.session(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && !row.Alive(now) {
			continue
		}
		if err != nil {
			return nil, unavailable(err)
		}
		all = append(all, row)
	}
	return all, nil
}

// End ends one live session of the same subject. CodeNotFound for any other
// id, whether it exists or not.
func (s *Service) End(ctx context.Context, sessionToken Secret, id token.ID, requestID string) error {
	current, all, err := s.List(ctx, sessionToken)
	if err != nil {
		return err
	}
	for _, row := range all {
		if row.ID == id {
			return s.revoke(ctx, row, current, requestID)
		}
	}
	return Refuse(CodeNotFound, "You have no such session.", nil)
}

// EndOthers ends every other live session of the subject, and with
// includeCurrent this one too. It returns how many.
func (s *Service) EndOthers(ctx context.Context, sessionToken Secret, includeCurrent bool, requestID string) (int, error) {
	current, all, err := s.List(ctx, sessionToken)
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, row := range all {
		if row.ID == current.ID && !includeCurrent {
			continue
		}
		if err := s.revoke(ctx, row, current, requestID); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// revoke ends row at the wish of its subject, shown by current.
func (s *Service) revoke(ctx context.Context, row, current Session, requestID string) error {
	reason := EndRevoked
	if row.ID == current.ID {
		reason = EndLogout
	}
	for range maxAttempts {
		err := s.commitEnd(ctx, row, reason, s.now(), requestID)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return unavailable(err)
		}
		if row, err = s.session(ctx, row.ID); errors.Is(err, ErrNotFound) || err == nil && row.Ended() {
			return nil
		}
		if err != nil {
			return unavailable(err)
		}
	}
	return unavailable(errContention)
}

// EndSessionsOf ends every live session of a subject at an operator's wish, and
// returns how many: -1 of a pseudonym, since who asked every second would learn
// when it comes. CodeNotFound for who is no subject.
func (s *Service) EndSessionsOf(ctx context.Context, subjectID string, by Act) (int, error) {
	n, err := s.endBy(ctx, subjectID, by, func() ([]Session, error) { return s.SessionsOf(ctx, subjectID) })
	if err == nil && isPseudonym(subjectID) {
		n = -1
	}
	return n, err
}

// EndSession ends one live session at an operator's wish. CodeNotFound when none
// has the id.
func (s *Service) EndSession(ctx context.Context, id token.ID, by Act) error {
	row, err := s.liveSession(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.endBy(ctx, row.Subject.ID, by, func() ([]Session, error) {
		row, err := s.liveSession(ctx, id)
		return []Session{row}, err
	})
	return err
}

func (s *Service) liveSession(ctx context.Context, id token.ID) (Session, error) {
	row, err := s.session(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && !row.Alive(s.now()) {
		return Session{}, Refuse(CodeNotFound, "There is no such session that lives.", nil)
	}
	if err != nil {
		return Session{}, unavailable(err)
	}
	return row, nil
}

// endBy ends a subject's sessions in one change, with the trace of who wished it.
func (s *Service) endBy(ctx context.Context, subjectID string, by Act, which func() ([]Session, error)) (int, error) {
	if err := by.check(); err != nil {
		return 0, err
	}
	roster, err := s.store.Roster(ctx, subjectID)
	if err != nil {
		return 0, unavailable(err)
	}
	if err := roster.named(); err != nil {
		return 0, err
	}
	for range maxAttempts {
		list, err := which()
		if err != nil {
			return 0, err
		}
		c := Change{Records: []Record{s.record(ActionRevoke, subjectID, by)}}
		for _, row := range list {
			ended := row.end(EndRevoked, s.now())
			c.Update = append(c.Update, ended)
			c.note(EventEnded, ActionEnd, ended, s.now(), "")
		}
		err = s.commit(ctx, c)
		if err == nil {
			return len(list), nil
		}
		if !errors.Is(err, ErrConflict) {
			return 0, unavailable(err)
		}
	}
	return 0, unavailable(errContention)
}
