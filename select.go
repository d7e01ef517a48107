package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mentalverse/session/token"
)

// Selection names sessions by what they have in common; without any of its
// parts, all of them. What lists sessions and what ends them take the same.
type Selection struct {
	SubjectID string // a user or a pseudonym
	Type      Type
	// CreatedFrom and CreatedBefore, unless zero, are when they were made: from the
	// first on, and before the second. Sessions are dated to whole seconds; one whose
	// second a time falls into is taken.
	CreatedFrom, CreatedBefore time.Time
	KeyID                      string // a signing key that may still verify
}

// rule is what a selection says of each session's own state, whoever's it is.
// CodeInvalidRequest for what no session can be, CodeNotFound for a key whose
// tokens are all dead.
func (s *Service) rule(sel Selection) (Cut, error) {
	if sel.Type != "" && !sel.Type.Valid() {
		return Cut{}, Refuse(CodeInvalidRequest, "session_type is standard, anonymous or professional", nil)
	}
	rule := Cut{Type: sel.Type, CreatedFrom: wholeSecond(sel.CreatedFrom, 0), CreatedBefore: wholeSecond(sel.CreatedBefore, time.Second-1)}
	if sel.KeyID != "" {
		var ok bool
		if rule.KeyFrom, rule.KeyUntil, ok = s.keys.used(sel.KeyID); !ok {
			return Cut{}, Refuse(CodeNotFound, "There is no such key, or its last token is dead.", nil)
		}
	}
	return rule, nil
}

// wholeSecond is the second of a time behind which some time has passed; zero
// stays zero.
func wholeSecond(t time.Time, passed time.Duration) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Add(passed).UTC().Truncate(time.Second)
}

// selected returns the live sessions of a selection's subject, oldest first.
func (s *Service) selected(ctx context.Context, sel Selection) ([]Session, error) {
	rule, err := s.rule(sel)
	if err != nil {
		return nil, err
	}
	all, err := s.SessionsOf(ctx, sel.SubjectID)
	return slices.DeleteFunc(all, func(row Session) bool { return !rule.names(&row) }), err
}

// Sessions returns up to limit live sessions of a selection whose ids are above
// one, by their ids: of each type the oldest first. Fewer are the last. Anonymous
// ones are never among them: who watched the list would see, to the second, when
// a pseudonym comes and goes. [Service.AnonymousCount] counts them.
func (s *Service) Sessions(ctx context.Context, sel Selection, after token.ID, limit int) ([]Session, error) {
	if isPseudonym(sel.SubjectID) {
		return nil, Refuse(CodeInvalidRequest, "Sessions of a pseudonym are not shown: when it comes and goes could tell who it is. It can be blocked, and its sessions be ended.", nil)
	}
	if sel.SubjectID != "" {
		all, err := s.selected(ctx, sel)
		all = slices.DeleteFunc(all, func(row Session) bool { return row.ID.Compare(after) <= 0 })
		slices.SortFunc(all, func(a, b Session) int { return a.ID.Compare(b.ID) })
		return all[:min(limit, len(all))], err
	}
	rule, err := s.rule(sel)
	if err != nil {
		return nil, err
	}
	var out []Session
	for len(out) < limit {
		want := limit - len(out)
		ids := s.live.above(after, want, func(row *Session) bool { return s.shown(row, &rule) })
		for _, id := range ids {
			row, err := s.session(ctx, id)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, unavailable(err)
			}
			if after = id; err == nil && s.shown(&row, &rule) {
				out = append(out, row)
			}
		}
		if len(ids) < want {
			break
		}
	}
	return out, nil
}

// shown reports whether a session is to be listed under a rule.
func (s *Service) shown(row *Session, rule *Cut) bool {
	row.cutBy(*s.cuts.Load())
	return row.Type != Anonymous && row.Alive(s.now()) && rule.names(row)
}

// above returns up to limit ids above one, in order: of the sessions that are
// chosen, and of those whose state is not known.
func (l *live) above(after token.ID, limit int, chosen func(*Session) bool) (ids []token.ID) {
	var last token.ID // of the limit lowest, once there are so many
	for i := range l.shards {
		l.shards[i].each(func(sh *shard, n uint32) {
			id := sh.id(n)
			if id.Compare(after) <= 0 || last != (token.ID{}) && id.Compare(last) >= 0 {
				return
			}
			if !sh.is(n, packedStale) {
				var row Session
				sh.row(n, &row)
				sh.merge(n, &row)
				if !chosen(&row) {
					return
				}
			}
			if ids = append(ids, id); len(ids) >= 2*limit {
				ids = lowest(ids, limit)
				last = ids[limit-1]
			}
		})
	}
	return lowest(ids, limit)
}

// lowest returns the lowest of some ids, in order.
func lowest(ids []token.ID, limit int) []token.ID {
	slices.SortFunc(ids, token.ID.Compare)
	return ids[:min(limit, len(ids))]
}

// each calls f with every session that is not known to have ended.
func (sh *shard) each(f func(sh *shard, n uint32)) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, at := range sh.index {
		if n := at & numberMask; n != none && !sh.is(n, packedEnded) {
			f(sh, n)
		}
	}
}

// countEvery is how long a count of anonymous sessions stands: two counts that
// were closer together would tell when somebody came between them.
const countEvery = token.AnonymousBucket

// anonymousCount is how many anonymous sessions lived at a time.
type anonymousCount struct {
	mu sync.Mutex
	n  int
	at time.Time
}

// AnonymousCount returns how many anonymous sessions live, as counted within the
// last five minutes.
func (s *Service) AnonymousCount() int {
	c := &s.counted
	c.mu.Lock()
	defer c.mu.Unlock()
	now := s.now()
	if age := now.Sub(c.at); age >= 0 && age < countEvery {
		return c.n
	}
	c.n, c.at = 0, now
	for i := range s.live.shards {
		s.live.shards[i].each(func(sh *shard, n uint32) {
			if sh.id(n).Kind() != token.Anonymous {
				return
			}
			var row Session
			sh.row(n, &row)
			sh.merge(n, &row)
			if row.cutBy(*s.cuts.Load()); row.Alive(now) {
				c.n++
			}
		})
	}
	return c.n
}
