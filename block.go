package session

import (
	"context"
	"errors"
	"time"
)

// blockedForEver is until when a user is blocked who is blocked until further
// notice.
var blockedForEver = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Block ends the live sessions of a subject and keeps it out: a user until
// [Service.Unblock], a pseudonym until its epoch is over. Of a pseudonym nobody
// learns who it is: whoever blocks it knows only what it did.
func (s *Service) Block(ctx context.Context, subjectID string, by Act) error {
	return s.setBlock(ctx, subjectID, ActionBlock, by)
}

// Unblock lets a subject in again.
func (s *Service) Unblock(ctx context.Context, subjectID string, by Act) error {
	return s.setBlock(ctx, subjectID, ActionUnblock, by)
}

func (s *Service) setBlock(ctx context.Context, subjectID string, action Action, by Act) error {
	if err := by.check(); err != nil {
		return err
	}
	if isPseudonym(subjectID) && s.group == nil {
		return notServed(Anonymous)
	}
	for range maxAttempts {
		now := s.now()
		roster, err := s.store.Roster(ctx, subjectID)
		if err != nil {
			return unavailable(err)
		}
		if err := roster.named(); err != nil {
			return err
		}
		until := blockedForEver
		if isPseudonym(subjectID) {
			until = s.group.EpochEnd(now)
			roster.Until = until
		}
		roster.BlockedUntil = time.Time{}
		c := Change{Roster: &roster}
		if action == ActionBlock {
			roster.BlockedUntil, c.Urgent = until, true
			if err := s.endRoster(ctx, &c, roster, now); err != nil {
				return unavailable(err)
			}
		}
		c.Records = append(c.Records, s.record(action, subjectID, by))
		if err := s.commit(ctx, c); err == nil {
			return nil
		} else if !errors.Is(err, ErrConflict) {
			return unavailable(err)
		}
	}
	return unavailable(errContention)
}

// endRoster puts the ends of all live sessions of a roster into a change.
func (s *Service) endRoster(ctx context.Context, c *Change, roster Roster, now time.Time) error {
	for _, id := range roster.Sessions {
		row, err := s.session(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && row.Ended() {
			continue
		}
		if err != nil {
			return err
		}
		ended := row.end(EndRevoked, now)
		c.Update = append(c.Update, ended)
		c.note(EventEnded, ActionEnd, ended, now, "")
	}
	return nil
}
