package client

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/api"
)

// How long sightings are gathered before they are told: of generations so short
// that they arrive within a second, of people within the ten seconds that "active"
// stands for, a failed try included.
const (
	newsDelay     = 400 * time.Millisecond
	presenceDelay = 3 * time.Second
	reportRetry   = 250 * time.Millisecond
)

// maxReports bounds the sightings of a kind that wait.
const maxReports = 10_000

// sighting is a token in use.
type sighting struct {
	session    *followed
	generation uint32
}

// reports tells the session service of one kind of sightings, in batches. What is
// told twice does no harm, and what is lost little: a theft is found later, and an
// idle end comes earlier. So a batch is tried twice and then dropped.
type reports struct {
	kind    string
	delay   time.Duration
	send    func(context.Context, []api.Seen) error
	log     *slog.Logger
	wake    chan struct{}
	dropped atomic.Uint64

	mu      sync.Mutex
	waiting []sighting
	full    bool // and it was said
}

func newReports(kind string, delay time.Duration, send func(context.Context, []api.Seen) error, log *slog.Logger) reports {
	return reports{kind: kind, delay: delay, send: send, log: log, wake: make(chan struct{}, 1)}
}

// add notes a sighting. It waits for nothing but the lock.
func (r *reports) add(s sighting) {
	r.mu.Lock()
	fits := len(r.waiting) < maxReports
	say := !fits && !r.full
	r.full = !fits
	if fits {
		r.waiting = append(r.waiting, s)
	}
	r.mu.Unlock()
	if !fits {
		s.session.active.Store(false)
		r.dropped.Add(1)
	}
	if say {
		r.log.Warn("sightings of sessions are dropped: too many wait to be reported", "kind", r.kind)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run tells what is noted until the context ends, and then what is left, once.
func (r *reports) run(ctx context.Context) {
	for {
		select {
		case <-r.wake:
			sleep(ctx, r.delay)
			r.tell(ctx)
		case <-ctx.Done():
			r.tell(ctx)
			return
		}
	}
}

// tell tells what waits: after the client was closed, in the time of one call.
func (r *reports) tell(life context.Context) {
	r.mu.Lock()
	waiting := r.waiting
	r.waiting, r.full = nil, false
	r.mu.Unlock()
	over := life.Err() != nil
	ctx := context.WithoutCancel(life)
	if over {
		last, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		ctx = last
	}
	for len(waiting) > 0 {
		if !over && life.Err() != nil { // run tells the rest
			r.mu.Lock()
			r.waiting = append(waiting, r.waiting...)
			r.mu.Unlock()
			return
		}
		n := min(len(waiting), api.MaxSeen)
		r.batch(ctx, life, waiting[:n])
		waiting = waiting[n:]
	}
}

// batch tells some sightings. When the client is closed there is one try, which is
// not given up for that.
func (r *reports) batch(ctx, life context.Context, some []sighting) {
	seen := make([]api.Seen, len(some))
	for i, s := range some {
		seen[i] = api.Seen{SessionID: s.session.session.ID, Generation: s.generation}
		if r.kind == kindPresence {
			seen[i].Active = true
			s.session.active.Store(false) // who acts from here on is told of anew
		}
	}
	err := r.send(ctx, seen)
	if err != nil && life.Err() == nil {
		if sleep(life, reportRetry+rand.N(reportRetry)); life.Err() == nil {
			err = r.send(ctx, seen)
		}
	}
	if err != nil {
		r.dropped.Add(uint64(len(seen)))
		r.log.Warn("sightings of sessions are dropped: the session service did not take them", "kind", r.kind, "count", len(seen), "cause", err)
	}
}

const (
	kindNews     = "generations"
	kindPresence = "activity"
)
