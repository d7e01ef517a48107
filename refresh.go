package session

import (
	"context"
	"errors"
	"time"
)

// The spans of the refresh rule, counted from the last step.
const (
	refreshGrace = 10 * time.Second  // the predecessor gets the successor again, seen in use or not
	refreshSoft  = 120 * time.Second // older tokens are told to look for their sibling's; later it is theft
)

type refreshVerdict int

const (
	refreshStep       refreshVerdict = iota // issue the next generation
	refreshAgain                            // issue the current generation again
	refreshSuperseded                       // nothing issued, nothing ended
	refreshTheft                            // the session ends
	refreshRollback                         // the store went back in time
)

// judgeRefresh is the refresh rule. It decides over a genuine refresh token of
// generation g shown at now for a live session, and changes nothing.
func (s *Session) judgeRefresh(g uint32, now time.Time) refreshVerdict {
	sinceStep := now.Sub(s.SteppedAt)
	if sinceStep < -keyActivationGap { // the clock has been set back: of unknown age, neither in the grace nor theft
		sinceStep = refreshSoft
	}
	switch {
	case g > s.Generation:
		return refreshRollback
	case g == s.Generation:
		return refreshStep
	case g+1 == s.Generation && g >= s.MinGen && (s.UsedGen < s.Generation || sinceStep <= refreshGrace):
		return refreshAgain
	case sinceStep <= refreshSoft:
		return refreshSuperseded
	}
	return refreshTheft
}

// Refresh exchanges a refresh token for the next pair, or gives the same pair
// again to one whose answer was lost. Simultaneous calls with one token step
// the generation once.
//
// Errors: CodeRefreshFailed, CodeRefreshSuperseded (nothing has ended: use the
// newer pair), CodeUnavailable.
func (s *Service) Refresh(ctx context.Context, refreshToken Secret, requestID string) (Tokens, error) {
	shown, err := s.opened(refreshToken)
	if err != nil {
		return Tokens{}, refreshFailed("", err)
	}
	for range maxAttempts {
		now := s.now()
		row, err := s.session(ctx, shown.SessionID)
		switch {
		case errors.Is(err, ErrNotFound):
			return Tokens{}, refreshFailed("", err)
		case err != nil:
			return Tokens{}, unavailable(err)
		}
		key := s.keys.refresh.Session(row.Seed)
		switch {
		case !key.Genuine(shown):
			return Tokens{}, refreshFailed("", errors.New("forged"))
		case row.Channel != refreshToken.channel:
			return Tokens{}, refreshFailed("", errChannel)
		case row.Ended():
			return Tokens{}, refreshFailed(row.EndReason, nil)
		case row.EndedBy(now) != "":
			reason, err := s.endIfReached(ctx, row.ID, now)
			if err != nil {
				return Tokens{}, unavailable(err)
			}
			if reason == "" {
				continue
			}
			return Tokens{}, refreshFailed(reason, nil)
		}
		var c Change
		switch row.judgeRefresh(shown.Generation, now) {
		case refreshAgain:
			return s.mint(&row, key)
		case refreshSuperseded:
			return Tokens{}, Refuse(CodeRefreshSuperseded, "A newer refresh token has been issued. Use that one.", nil)
		case refreshRollback:
			s.alarmRollback(row.ID)
			return Tokens{}, refreshFailed("", errRollback)
		case refreshTheft:
			err = s.commitEnd(ctx, row, EndRefreshReuse, now, requestID)
			if err == nil {
				return Tokens{}, refreshFailed(EndRefreshReuse, nil)
			}
		case refreshStep:
			if !row.Reporting {
				row.LastActivity = row.Type.coarse(now)
			}
			row = row.step(now)
			c.Update = []Session{row}
			c.note("", ActionRefresh, row, now, requestID)
			if err = s.commit(ctx, c); err == nil {
				return s.mint(&row, key)
			}
		}
		if !errors.Is(err, ErrConflict) {
			return Tokens{}, unavailable(err)
		}
	}
	return Tokens{}, unavailable(errContention)
}

// refreshFailed is the answer to a refresh token that will never be redeemed.
// The reason is told only to the holder of a genuine one.
func refreshFailed(reason EndReason, cause error) *Error {
	e := Refuse(CodeRefreshFailed, "This session cannot be refreshed. Sign in again.", cause)
	e.Reason = string(reason)
	return e
}
