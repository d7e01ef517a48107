package session

import "context"

// Events returns up to limit events of one of the store's logs, as the store
// does.
func (s *Service) Events(ctx context.Context, anonymous bool, after uint64, limit int) ([]StoredEvent, error) {
	return s.store.Events(ctx, anonymous, after, limit)
}

// NewestEvent returns the last event of one of the store's logs, as the store
// does.
func (s *Service) NewestEvent(ctx context.Context, anonymous bool) (StoredEvent, error) {
	return s.store.NewestEvent(ctx, anonymous)
}

// Follow takes over what the log tells, of other nodes' commits and of those of
// this one that are not yet in memory. When it returns nil, the service answers
// as the events say.
func (s *Service) Follow(ctx context.Context, events []StoredEvent) error {
	cuts := false
	for i := range events {
		switch e := &events[i]; e.Kind {
		case EventEnded, EventUpdated:
			s.live.outdate(&e.Event)
		case EventCut:
			cuts = true
		}
	}
	if cuts {
		return s.loadCuts(ctx)
	}
	return nil
}

// outdate drops a session's row if it is of before the event.
func (l *live) outdate(e *Event) {
	sh := l.shard(e.SessionID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := sh.find(e.SessionID)
	if n != none && !sh.is(n, packedEnded) {
		if e.Kind == EventUpdated && e.MinGen > 0 {
			var row Session
			if sh.row(n, &row); row.MinGen >= e.MinGen {
				return
			}
		}
		sh.packed(n)[packedFlags] |= packedStale
	}
	sh.writes++ // a read of before is not kept
}
