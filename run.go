package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mentalverse/session/token"
)

// The service's own rhythms.
const (
	activityEvery = time.Minute      // at most one write of activity a session
	activityAhead = 5 * time.Second  // and at the latest this long before a stored idle end
	beat          = time.Second / 2  // how often sightings and reached ends are looked for
	sweepEvery    = time.Minute      // how often old rows are looked for
	sweepBatch    = 500              // rows of each kind in one transaction
	keysEvery     = time.Minute      // how often signing keys are looked at
	nonceKept     = time.Minute      // beyond a challenge's life
	flushWriters  = 64               // changes under way at once when flushing
	workTimeout   = 30 * time.Second // bound of one piece of background work
)

// Retention of rows that no longer serve.
const (
	SessionsKept = 30 * 24 * time.Hour // after the last moment a session can have lived
	EventsKept   = 7 * 24 * time.Hour
	RecordsKept  = 6 * 365 * 24 * time.Hour // 45 CFR 164.316(b)(2)
)

// Run keeps the service going until ctx is done: it writes sightings, commits
// reached ends, rotates keys and sweeps. It then writes what is left and marks
// the store as cleanly ended.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	every := func(d time.Duration, what string, f func(context.Context) error) {
		wg.Go(func() {
			t := time.NewTicker(d)
			defer t.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-t.C:
				}
				work, cancel := context.WithTimeout(ctx, workTimeout)
				if err := f(work); err != nil && ctx.Err() == nil {
					s.log.Error("background work failed; it will be tried again", "work", what, "error", err)
				}
				cancel()
			}
		})
	}
	silence := time.AfterFunc(storeSilence, func() { s.silent.Store(true) })
	defer silence.Stop()
	every(storeAsked, "asking for the store", s.listen(silence))
	every(beat, "writing of sightings", func(ctx context.Context) error { return s.flush(ctx, false) })
	every(beat, "ending of sessions", s.endReached)
	every(keysEvery, "signing keys", func(ctx context.Context) error { return s.keys.Load(ctx, s.store, s.now()) })
	every(sweepEvery, "sweeping", s.sweep)
	<-ctx.Done()
	wg.Wait()

	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
	defer cancel()
	if err := s.flush(last, true); err != nil {
		return err
	}
	return s.Release(last)
}

// Release marks the store as cleanly ended. Run does it by itself; who opens a
// service without running it calls it last.
func (s *Service) Release(ctx context.Context) error {
	meta, err := s.store.Meta(ctx)
	if err != nil {
		return err
	}
	clean := meta
	clean.Running = false
	return s.store.SetMeta(ctx, meta, clean)
}

// flush writes what has been seen of sessions into their rows.
func (s *Service) flush(ctx context.Context, all bool) error {
	return s.eachOf(s.live.due(s.now(), all), func(id token.ID) error {
		for range maxAttempts {
			row, err := s.session(ctx, id)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			if row.Ended() || row.EndedBy(s.now()) != "" {
				return nil // its end is being committed with what was seen
			}
			// The sightings are no act of their own: no event, no record.
			if err = s.commit(ctx, Change{Update: []Session{row}}); !errors.Is(err, ErrConflict) {
				return err
			}
		}
		return errContention
	})
}

// endReached commits the ends whose time has come and buries old tombstones.
func (s *Service) endReached(ctx context.Context) error {
	now := s.now()
	for _, id := range s.graves.reached(now) {
		s.live.bury(id)
	}
	return s.eachOf(s.deadlines.reached(now), func(id token.ID) error {
		if row, _, ok := s.live.get(id); ok {
			if row.Ended() {
				return nil
			}
			if row.EndedBy(now) == "" {
				s.schedule(row)
				return nil
			}
		}
		_, err := s.endIfReached(ctx, id, now)
		if err != nil {
			s.deadlines.add(id, now.Add(time.Second))
		}
		return err
	})
}

// eachOf calls f for every id, a bounded number at once, so that their commits
// can share a transaction. It returns the first error after all are done.
func (s *Service) eachOf(ids []token.ID, f func(token.ID) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	slots := make(chan struct{}, flushWriters)
	for _, id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := f(id); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	wg.Wait()
	return first
}

// sweep deletes rows that no longer serve, batch by batch, until none is left
// or its time is over.
func (s *Service) sweep(ctx context.Context) error {
	now := s.now()
	cut := SweepCut{
		Sessions: now.Add(-SessionsKept - MaxAbsoluteLife),
		Nonces:   now.Add(-ChallengeLife - nonceKept),
		Events:   now.Add(-EventsKept),
		Records:  now.Add(-RecordsKept),
	}
	for ctx.Err() == nil {
		n, err := s.store.Sweep(ctx, cut, sweepBatch)
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}
