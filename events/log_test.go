package events_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/events"
	"github.com/mentalverse/session/token"
)

// log is a store's two logs in memory.
type log struct {
	mu      sync.Mutex
	logs    [2][]session.StoredEvent
	last    [2]uint64
	reads   int
	follows int
	broken  error
	deaf    error // of Follow
	// brokenEnd is what asking for the newest event of each log comes to.
	brokenEnd [2]error
	slow      time.Duration
	keys      string
}

func (l *log) of(anonymous bool) int {
	if anonymous {
		return 1
	}
	return 0
}

// commit appends an event.
func (l *log) commit(e session.Event) session.StoredEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.of(e.Anonymous())
	l.last[i]++
	stored := session.StoredEvent{Position: l.last[i], Event: e}
	l.logs[i] = append(l.logs[i], stored)
	return stored
}

// sweep deletes all but the newest keep events of a log.
func (l *log) sweep(anonymous bool, keep int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.of(anonymous)
	l.logs[i] = l.logs[i][max(0, len(l.logs[i])-max(keep, 1)):]
}

func (l *log) Events(_ context.Context, anonymous bool, after uint64, limit int) ([]session.StoredEvent, error) {
	defer func() {
		time.Sleep(l.slow) // what happens meanwhile is not in the answer
	}()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	var out []session.StoredEvent
	for _, e := range l.logs[l.of(anonymous)] {
		if e.Position > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, l.broken
}

func (l *log) NewestEvent(_ context.Context, anonymous bool) (session.StoredEvent, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.logs[l.of(anonymous)]
	if len(list) == 0 {
		return session.StoredEvent{}, errors.Join(l.broken, cmp.Or(l.brokenEnd[l.of(anonymous)], session.ErrNotFound))
	}
	return list[len(list)-1], errors.Join(l.broken, l.brokenEnd[l.of(anonymous)])
}

func (l *log) Follow(context.Context, []session.StoredEvent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.follows++
	return errors.Join(l.broken, l.deaf)
}

func (l *log) JWKS() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return []byte(l.keys)
}

func (l *log) set(f func(*log)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

func (l *log) looks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads / 2
}

// opened starts a hub over the log, in a bubble, at whose end it is stopped.
func opened(t testing.TB, l *log, o events.Options) *events.Hub {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h, err := events.New(ctx, l, o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait() // it has looked once
	return h
}

// caughtUp opens a hub on the log, and returns it with where it stands.
func caughtUp(t *testing.T, l *log) (h *events.Hub, position string) {
	t.Helper()
	h = opened(t, l, events.Options{})
	return h, read(t, h, "", 0).Position
}

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func ended(id token.ID) session.Event {
	return session.Event{Kind: session.EventEnded, At: at, SessionID: id, SubjectID: "user_1", Reason: session.EndRevoked}
}

func endedAnonymous(id token.ID) session.Event {
	e := ended(id)
	e.SubjectID = "anon_1"
	return e
}

func created(id token.ID) session.Event {
	return session.Event{Kind: session.EventCreated, At: at, SessionID: id, SubjectID: "user_1"}
}

func newID() token.ID { return token.NewID(token.Standard, at) }

// read is Read that must work.
func read(t testing.TB, h *events.Hub, after string, wait time.Duration) events.Batch {
	t.Helper()
	b, err := h.Read(context.Background(), after, wait, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// next is the next event of a subscription; none if it does not come.
func next(s *events.Subscription) session.Event {
	select {
	case e := <-s.Events():
		return e
	case <-time.After(time.Minute):
		return session.Event{}
	}
}

// bubble runs a test on a clock of its own.
func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }
