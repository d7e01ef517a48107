package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mentalverse/session/token"
)

// Cut ends many sessions in one commit, however many they are: by a rule and not
// row by row. What it ends is refused from then on; the rows follow.
type Cut struct {
	Number uint32 // from 1 on; it ends only sessions that were made before it
	At     time.Time
	Type   Type // of this type; of any when empty
	// CreatedFrom, unless zero, spares sessions made before that time, and
	// CreatedBefore those made at that time or later.
	CreatedFrom, CreatedBefore time.Time
	// KeyFrom and KeyUntil, unless zero, are when a signing key was used: it ends
	// the sessions that may have a token signed with it.
	KeyFrom, KeyUntil time.Time
}

// ends reports whether a session ends by the cut.
func (c *Cut) ends(s *Session) bool { return s.Cut < c.Number && c.names(s) }

// names reports whether a session is one of those that the rule is about. An
// anonymous one was made up to five minutes after its CreatedAt.
func (c *Cut) names(s *Session) bool {
	return (c.Type == "" || c.Type == s.Type) &&
		(c.CreatedFrom.IsZero() || !s.CreatedAt.Before(c.CreatedFrom.Truncate(s.Type.grain()))) &&
		(c.CreatedBefore.IsZero() || s.CreatedAt.Before(c.CreatedBefore)) &&
		(c.KeyUntil.IsZero() || s.SteppedAt.Before(c.KeyUntil)) && (c.KeyFrom.IsZero() || s.ExpiresAt.After(c.KeyFrom))
}

// cutBy is s as the cuts leave it. The first that ends it does.
func (s *Session) cutBy(cuts []Cut) {
	for i := range cuts {
		if !s.Ended() && cuts[i].ends(s) {
			*s = s.end(EndRevoked, cuts[i].At)
			return
		}
	}
}

// EndMany ends every session of a selection, at once.
func (s *Service) EndMany(ctx context.Context, sel Selection, by Act) error {
	if err := by.check(); err != nil {
		return err
	}
	if sel.SubjectID != "" {
		_, err := s.endBy(ctx, sel.SubjectID, by, func() ([]Session, error) { return s.selected(ctx, sel) })
		return err
	}
	for range maxAttempts {
		cut, err := s.rule(sel)
		if err != nil {
			return err
		}
		cut.Number, cut.At = s.newestCut()+1, s.now().UTC().Truncate(time.Millisecond)
		err = s.commit(ctx, Change{
			Cut:     &cut,
			Urgent:  true,
			Events:  []Event{{Kind: EventCut, At: cut.At}},
			Records: []Record{s.record(ActionCut, "", by)},
		})
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return unavailable(err)
		}
		if err := s.loadCuts(ctx); err != nil { // another node's
			return unavailable(err)
		}
	}
	return unavailable(errContention)
}

func (s *Service) newestCut() uint32 {
	list := *s.cuts.Load()
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].Number
}

// loadCuts takes over what the store holds, beside what was committed here while
// it was read.
func (s *Service) loadCuts(ctx context.Context) error {
	list, err := s.store.Cuts(ctx)
	for _, c := range list {
		s.keepCut(c)
	}
	return err
}

// keepCut puts a committed cut in force.
func (s *Service) keepCut(c Cut) {
	for {
		old := s.cuts.Load()
		if slices.ContainsFunc(*old, func(known Cut) bool { return known.Number == c.Number }) {
			return
		}
		next := append(slices.Clone(*old), c)
		slices.SortFunc(next, func(a, b Cut) int { return int(a.Number) - int(b.Number) })
		if s.cuts.CompareAndSwap(old, &next) {
			return
		}
	}
}

// cutAtOnce is how many rows follow a cut in one beat.
const cutAtOnce = 8192

// followCuts commits the ends of sessions that a cut has ended, a bounded number
// at once: nobody waits for it, and nobody has to wait because of it.
func (s *Service) followCuts(ctx context.Context) error {
	list := *s.cuts.Load()
	if len(list) == 0 || s.followed == list[len(list)-1].Number {
		return nil
	}
	ids := s.live.cutBy(list, cutAtOnce)
	for some := range slices.Chunk(ids, writeTogether) {
		var changes []Change
		for _, id := range some {
			row, err := s.session(ctx, id)
			if err != nil || !row.Ended() {
				continue
			}
			c := Change{Update: []Session{row}}
			c.note(EventEnded, ActionEnd, row, row.EndedAt, "")
			changes = append(changes, c)
		}
		for _, err := range s.settle(ctx, changes...) {
			if err != nil && !errors.Is(err, ErrConflict) {
				return err
			}
		}
	}
	if len(ids) == 0 {
		s.followed = list[len(list)-1].Number
	}
	return nil
}

// cutBy returns up to limit sessions that have not ended but by a cut.
func (l *live) cutBy(list []Cut, limit int) (ids []token.ID) {
	for i := range l.shards {
		l.shards[i].each(func(sh *shard, n uint32) {
			if len(ids) >= limit {
				return
			}
			var row Session
			sh.row(n, &row)
			if row.cutBy(list); row.Ended() {
				ids = append(ids, row.ID)
			}
		})
	}
	return ids
}
