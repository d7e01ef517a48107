package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mentalverse/session/token"
)

// The service's own rhythms.
const (
	activityEvery = time.Minute      // at most one write of activity a session
	activityAhead = 5 * time.Second  // and at the latest this long before a stored idle end
	beat          = time.Second / 2  // how often sessions whose moment has come are looked for
	retryAfter    = time.Second      // when a session that could not be tended is tried again
	licencesEvery = time.Hour        // how often ends of licences are looked for
	groupEvery    = time.Second      // how often members who wait are looked for
	sweepEvery    = time.Minute      // how often old rows are looked for
	sweepBatch    = 500              // rows of each kind in one transaction
	keysEvery     = time.Minute      // how often signing keys are looked at
	nonceKept     = 24 * time.Hour   // beyond a challenge's life: a clock that was so far ahead frees none
	writeTogether = 512              // sightings that are written by one call
	writePerBeat  = 8192             // sightings that are written at the most in one beat
	endTogether   = 64               // ends under way at once
	workTimeout   = 30 * time.Second // bound of one piece of background work
)

// Retention of rows that no longer serve.
const (
	SessionsKept = 30 * 24 * time.Hour // after the last moment a session can have lived
	EventsKept   = 7 * 24 * time.Hour
	RecordsKept  = 6 * 365 * 24 * time.Hour // 45 CFR 164.316(b)(2)
)

// AnonymousEventsKept is how long events about pseudonyms are kept, counted from
// the beginning of the five minutes in which they happened. Their log has an
// order, which those who follow it need; whoever lays it beside what people do
// under their names, in its order, finds who did what. So the order goes, and
// the audit trail, which has none, stays.
const AnonymousEventsKept = 10 * time.Minute

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
	every(beat, "tending of sessions", s.tend)
	every(beat, "following of cuts", s.followCuts)
	if s.group != nil {
		every(groupEvery, "publishing of members", s.tendGroup)
	}
	every(licencesEvery, "announcing of licences", s.announceLicences)
	every(keysEvery, "signing keys", func(ctx context.Context) error { return s.keys.Load(ctx, s.store, s.now()) })
	every(sweepEvery, "sweeping", s.sweep)
	<-ctx.Done()
	wg.Wait()

	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
	defer cancel()
	if err := s.write(last, s.live.allUnwritten()); err != nil {
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

// tend looks at the sessions whose moment has come: it commits the ends that
// were reached, and writes what was seen of the others.
func (s *Service) tend(ctx context.Context) error {
	now := s.now()
	var ended, seen []token.ID
	for _, id := range s.live.woken(now) {
		row, err := s.session(ctx, id)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			s.live.wake(id, now.Add(retryAfter), now)
		case err != nil || row.Ended():
			s.live.drop(id)
		case row.EndedBy(now) != "":
			ended = append(ended, id)
		case s.live.unwritten(id, now):
			seen = append(seen, id)
		default:
			s.live.wake(id, now, now)
		}
	}
	err := s.endAll(ctx, ended)
	// What a whole platform did at once is not written at once: ends must not wait
	// for it, nor people.
	some := seen[:min(len(seen), writePerBeat)]
	for i, id := range seen[len(some):] {
		later := time.Duration(1+i/(writePerBeat*int(time.Second/beat))) * time.Second
		s.live.wake(id, now.Add(later), now)
	}
	return errors.Join(err, s.write(ctx, some))
}

// write writes what has been seen of sessions into their rows, many by one
// call. Those that lose their compare-and-swap are looked at again.
func (s *Service) write(ctx context.Context, ids []token.ID) error {
	var failed error
	for some := range slices.Chunk(ids, writeTogether) {
		if ctx.Err() != nil { // there was no time: they are looked at again
			for _, id := range some {
				s.live.wake(id, s.now(), s.now())
			}
			failed = ctx.Err()
			continue
		}
		var changes []Change
		for _, id := range some {
			row, err := s.session(ctx, id)
			if err != nil || !row.Alive(s.now()) {
				s.live.wake(id, s.now(), s.now()) // its end is committed with what was seen
				continue
			}
			// The sightings are no act of their own: no event, no record.
			changes = append(changes, Change{Update: []Session{row.blurred(s.now())}})
		}
		for i, err := range s.settle(ctx, changes...) {
			if err != nil {
				s.live.wake(changes[i].Update[0].ID, s.now().Add(retryAfter), s.now())
				failed = err
			}
		}
	}
	if errors.Is(failed, ErrConflict) {
		return nil
	}
	return failed
}

// endAll commits ends that have been reached, a bounded number at once, so that
// they can share a transaction. It returns the first error after all are done.
func (s *Service) endAll(ctx context.Context, ids []token.ID) error {
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	slots := make(chan struct{}, endTogether)
	for _, id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if _, err := s.endIfReached(ctx, id, s.now()); err != nil {
				s.live.wake(id, s.now().Add(retryAfter), s.now())
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
		Told:     now.Add(-AnonymousEventsKept),
		Records:  now.Add(-RecordsKept),
		Rosters:  now,
		Cuts:     now.Add(-SessionsKept - MaxAbsoluteLife),
	}
	for ctx.Err() == nil {
		n, err := s.store.Sweep(ctx, cut, sweepBatch)
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}
