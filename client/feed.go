package client

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// maxAge is how old the feed's last word may be when a call begins that answers
// from memory. The promise is five seconds, and the rule needs no more: an answer
// that was read after a revocation was acknowledged holds it. What is kept back is
// for clocks: those of two machines part by less than a millisecond while an answer
// is held, and one that is slewed by 5 % (more than NTP does) by 250 ms in 5 s.
const maxAge = 5*time.Second - 250*time.Millisecond

// Times of the feed's loop.
const (
	holdTime  = time.Second            // asks the session service to hold a request
	holdGrace = 2 * time.Second        // for an answer, beside that
	minPause  = 100 * time.Millisecond // after a failure, doubled with each
	maxPause  = 500 * time.Millisecond // a short cut should end before it is noticed
	heldSlack = 100 * time.Millisecond // that clocks may part while a request is held
)

// feed follows the session service. Under its mutex stands what must change in one
// step with what is remembered: the position, and the questions under way.
type feed struct {
	ask     func(ctx context.Context, after string, wait time.Duration) (*api.Feed, error)
	keys    *keys
	cache   *cache
	log     *slog.Logger
	started chan struct{} // closed when the first request has come to something
	ready   chan struct{} // closed when the feed was first heard
	fresh   atomic.Pointer[time.Time]
	failed  atomic.Uint64

	mu       sync.Mutex
	position string // "" before the first answer
	running  map[token.ID][]*question
	rekey    uint64 // the keys must be of this fetch or a later one
}

// freshAt reports whether what is remembered may answer a call that began at the
// time. Load it before what is remembered: all that it vouches for has been taken
// in then. Both clocks are asked, because the monotonic one stands still while a
// machine sleeps and the wall's can be set.
func (f *feed) freshAt(at time.Time) bool {
	fresh := f.fresh.Load()
	return fresh != nil && young(at.Sub(*fresh), at.Round(0).Sub(fresh.Round(0)))
}

// young judges an age by both clocks.
func young(monotonic, wall time.Duration) bool { return monotonic <= maxAge && wall <= maxAge }

// run follows the feed until the context ends.
func (f *feed) run(ctx context.Context) {
	pause, wait, deaf := time.Duration(0), time.Duration(0), false
	for first := true; ctx.Err() == nil; first = false {
		more, err := f.step(ctx, wait)
		if first {
			close(f.started)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.failed.Add(1)
			if !deaf {
				f.log.Warn("the feed of the session service is not heard", "cause", err)
			}
			deaf, wait = true, 0 // to know at once where we are, when it is back
			pause = min(max(2*pause, minPause), maxPause)
			sleep(ctx, pause/2+rand.N(pause/2))
			continue
		case deaf:
			f.log.Info("the feed of the session service is heard again")
		}
		deaf, pause, wait = false, 0, holdTime
		if more {
			wait = 0
		}
	}
}

// step asks once. What it learns counts from the moment the question was sent.
func (f *feed) step(ctx context.Context, wait time.Duration) (more bool, err error) {
	f.mu.Lock()
	after := f.position
	f.mu.Unlock()
	sent := time.Now()
	a, err := f.ask(ctx, after, wait)
	if err != nil {
		return false, err
	}
	held, age := time.Duration(a.HeldMS)*time.Millisecond, time.Duration(a.AgeMS)*time.Millisecond
	if held > time.Since(sent)+heldSlack {
		return false, errors.New("an answer that says it was held for longer than it was under way")
	}
	if _, err := f.keys.from(ctx, f.take(a)); err != nil {
		return false, err // what was heard is kept, and vouches for nothing until then
	}
	if !a.More || a.Gap {
		f.renew(sent.Add(min(held, time.Since(sent)) - age))
	}
	if len(a.Events) == 0 && (a.More || time.Since(sent) < wait/2) {
		sleep(ctx, minPause) // it did not hold the request: nothing there is told, or it is being shut down, or cannot
	}
	return a.More, nil
}

// renew notes how new what is remembered is. It never goes back.
func (f *feed) renew(at time.Time) {
	if old := f.fresh.Load(); old == nil || at.After(*old) {
		f.fresh.Store(&at)
		if old == nil {
			close(f.ready)
		}
	}
}

// take takes in what an answer tells, and returns of which fetch the keys must be.
func (f *feed) take(a *api.Feed) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.Gap {
		f.forgetAll()
		f.rekey = f.keys.next()
	}
	for i := range a.Events {
		f.event(&a.Events[i])
	}
	f.position = a.Position
	return f.rekey
}

func (f *feed) event(e *api.FeedEvent) {
	switch e.Event {
	case "keys.changed":
		f.rekey = f.keys.next()
		return
	case "session.ended":
		if id, err := token.ParseID(e.SessionID); err == nil {
			refusal := endedFor(e.Reason)
			f.cache.end(id, refusal)
			for _, q := range f.running[id] {
				q.ended = refusal
			}
			return
		}
	case "session.updated":
		if id, err := token.ParseID(e.SessionID); err == nil {
			f.cache.forget(id)
			for _, q := range f.running[id] {
				q.overtaken = true
			}
			return
		}
	}
	f.forgetAll() // sessions.cut, and whatever cannot be read here
}

func (f *feed) forgetAll() {
	f.cache.forgetAll()
	for _, list := range f.running {
		for _, q := range list {
			q.overtaken = true
		}
	}
}

// sleep waits, not beyond the context's end.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
