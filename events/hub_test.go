package events_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/events"
	"github.com/mentalverse/session/token"
)

func TestAWaitingReaderIsToldAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h := opened(t, l, events.Options{})
		first := read(t, h, "", 0)
		if !first.Gap || len(first.Events) != 0 || first.Position == "" {
			t.Fatalf("without a position: %+v", first)
		}
		id := newID()
		told := make(chan events.Batch)
		go func() { told <- read(t, h, first.Position, 20*time.Second) }()
		synctest.Wait()
		began := time.Now()
		l.commit(ended(id))
		h.Wake()
		b := <-told
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if b.Gap || len(b.Events) != 1 || b.Events[0].SessionID != id || b.Events[0].Reason != session.EndRevoked || b.Age != 0 {
			t.Errorf("told %+v", b)
		}
		if b.Events[0].SubjectID != "" || !b.Events[0].At.IsZero() {
			t.Errorf("more is told than the session: %+v", b.Events[0])
		}
		if again := read(t, h, b.Position, 0); len(again.Events) != 0 || again.Gap {
			t.Errorf("told twice: %+v", again)
		}
		if again := read(t, h, first.Position, 0); len(again.Events) != 1 || again.Gap {
			t.Errorf("not told to who asks again: %+v", again)
		}
	})
}

func TestNobodyWaitsForAWakeThatWasLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		go func() {
			time.Sleep(5 * time.Second)
			l.commit(ended(newID())) // another node's: nobody wakes us
		}()
		began := time.Now()
		if b := read(t, h, p, 20*time.Second); len(b.Events) != 1 {
			t.Errorf("told %+v", b)
		}
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("the log was looked at after %v", took)
		}
	})
}

func TestAnAnswerSaysHowNewItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		if b := read(t, h, p, 3*time.Second); b.Held < 2900*time.Millisecond || b.Held > 3*time.Second || b.Age != 0 || b.Position == "" {
			t.Errorf("a wait without an event: %+v", b)
		}
		l.set(func(l *log) { l.broken = errors.New("gone") })
		time.Sleep(3 * time.Second)
		if b := read(t, h, p, 0); b.Age < 2*time.Second || b.Held != 0 {
			t.Errorf("while the store is silent: %+v", b)
		}
		time.Sleep(3 * time.Second)
		for _, wait := range []time.Duration{0, time.Second} {
			if _, err := h.Read(t.Context(), p, wait, 10); !errors.Is(err, events.ErrSilent) {
				t.Errorf("when the store was silent for long: %v", err)
			}
		}
		if _, err := h.Read(t.Context(), "", 0, 10); !errors.Is(err, events.ErrSilent) {
			t.Errorf("and without a position: %v", err)
		}
		id := newID()
		l.set(func(l *log) { l.broken = nil })
		l.commit(ended(id))
		time.Sleep(2 * time.Second)
		if b := read(t, h, p, 0); len(b.Events) != 1 || b.Gap || b.Events[0].SessionID != id {
			t.Errorf("after it came back: %+v", b)
		}
	})
}

// What happens while the store is being read is not in the answer: it is as new
// as the moment when the read began.
func TestAnAnswerIsAsNewAsItsReadBegan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{slow: 200 * time.Millisecond}
		h, p := caughtUp(t, l)
		time.Sleep(5 * time.Second)
		called := time.Now()
		b := read(t, h, p, 2*time.Second)
		if took := time.Since(called); b.Held+400*time.Millisecond > took || b.Held < time.Second || b.Age != 0 {
			t.Errorf("after %v: %+v", took, b)
		}
	})
}

// However many wait, a wake is one look at the store.
func TestAThousandWhoWaitShareALook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		var told sync.WaitGroup
		for range 1000 {
			told.Go(func() {
				if b := read(t, h, p, 20*time.Second); len(b.Events) != 1 || b.Gap {
					t.Errorf("told %+v", b)
				}
			})
		}
		for range 1000 {
			s := h.Subscribe(newID())
			defer s.Close()
		}
		synctest.Wait()
		before := l.looks()
		l.commit(ended(newID()))
		h.Wake()
		told.Wait()
		synctest.Wait()
		if n := l.looks() - before; n > 2 {
			t.Errorf("%d looks", n)
		}
	})
}

// Many who are told often are told together: answering them is not all that is
// done.
func TestManyAreToldTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		var told sync.WaitGroup
		answers := make(chan int, 100_000)
		for range 1000 {
			told.Go(func() {
				for at, n := p, 0; n < 1000; {
					b := read(t, h, at, 20*time.Second)
					at = b.Position
					n += len(b.Events)
					answers <- len(b.Events)
				}
			})
		}
		synctest.Wait()
		for range 1000 {
			l.commit(ended(newID()))
			h.Wake()
			time.Sleep(time.Millisecond)
		}
		told.Wait()
		if n := len(answers); n > 15_000 {
			t.Errorf("a thousand were told of a thousand ends, within a second, in %d answers", n)
		}
	})
}

// Those who sign in are not told of, neither by an event nor by being woken nor
// by a position that changes.
func TestCreationsAreNotTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		seen := map[string]bool{}
		for i := range 6 {
			if i%2 == 0 {
				l.commit(created(newID()))
				h.Wake()
			}
			began := time.Now()
			b := read(t, h, p, 2*time.Second)
			if len(b.Events) != 0 || b.Gap || time.Since(began) < 2*time.Second {
				t.Errorf("told %+v after %v", b, time.Since(began))
			}
			if p = b.Position; seen[p] || len(p) > events.MaxPosition {
				t.Errorf("the position shows that nothing happened: %q", p)
			}
			seen[p] = true
		}
	})
}

func TestKeysThatChangedAreTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{keys: "one"}
		h, p := caughtUp(t, l)
		told := make(chan events.Batch)
		go func() { told <- read(t, h, p, 20*time.Second) }()
		synctest.Wait()
		l.set(func(l *log) { l.keys = "two" })
		h.Wake()
		b := <-told
		if len(b.Events) != 1 || b.Events[0].Kind != session.EventKeys {
			t.Errorf("told %+v", b)
		}
		if again := read(t, h, b.Position, 0); len(again.Events) != 0 {
			t.Errorf("told twice: %+v", again)
		}
		// So they are to who was away while they changed, over a restart too.
		other := opened(t, l, events.Options{})
		if b := read(t, other, p, 0); len(b.Events) != 1 || b.Gap || b.Events[0].Kind != session.EventKeys {
			t.Errorf("after a restart: %+v", b)
		}
	})
}

func TestAGapIsFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		var here []token.ID
		for range 5 {
			here = append(here, newID())
			l.commit(ended(here[len(here)-1]))
			l.commit(endedAnonymous(newID()))
		}
		h, p := caughtUp(t, l)
		gap := func(h *events.Hub, after string) bool {
			t.Helper()
			b := read(t, h, after, 0)
			if b.Gap && len(b.Events) > 0 {
				t.Errorf("a gap with events: %+v", b)
			}
			if next := read(t, h, b.Position, 0); next.Gap || len(next.Events) != 0 {
				t.Errorf("the position of the answer is no good: %+v", next)
			}
			return b.Gap
		}
		if gap(h, p) {
			t.Error("there is none")
		}
		if gap(opened(t, l, events.Options{}), p) {
			t.Error("a restart is none")
		}
		if !gap(opened(t, l, events.Options{Epoch: 1}), p) {
			t.Error("another restore epoch")
		}
		if !gap(opened(t, l, events.Options{Key: [32]byte{1}}), p) {
			t.Error("another service")
		}
		// Another store, of as many events and of more.
		other := &log{}
		for i := range 9 {
			other.commit(ended(newID()))
			other.commit(endedAnonymous(newID()))
			if i == 4 || i == 8 {
				if !gap(opened(t, other, events.Options{}), p) {
					t.Errorf("another store of %d events", i+1)
				}
			}
		}
		// A store that was put back is behind, until more has happened in it.
		back := &log{}
		for i := range 3 {
			back.commit(ended(here[i]))
		}
		if !gap(opened(t, back, events.Options{}), p) {
			t.Error("a store that was put back")
		}
		// A sweep of what was not seen.
		for range 5 {
			l.commit(ended(newID()))
		}
		l.sweep(false, 6)
		if b := read(t, opened(t, l, events.Options{}), p, 0); b.Gap || len(b.Events) != 5 {
			t.Errorf("nothing that was not seen is swept: %+v", b)
		}
		l.sweep(false, 4)
		if !gap(opened(t, l, events.Options{}), p) {
			t.Error("a sweep of what was not seen")
		}
		for _, text := range []string{"x", "1", strings.Repeat("A", 92), p[:len(p)-1], p + "A", "." + p} {
			if !gap(h, text) {
				t.Errorf("%q", text)
			}
		}
		for _, text := range []string{" ", p + "=", p + "\n", strings.Repeat("A", 257), "é", "a/b"} {
			if _, err := h.Read(t.Context(), text, 0, 1); !errors.Is(err, events.ErrMalformed) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// A hole among what is stored is a gap, whatever stands before it.
func TestAHoleIsAGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		l.commit(ended(newID()))
		h, p := caughtUp(t, l)
		for range 5 {
			l.commit(ended(newID()))
		}
		l.set(func(l *log) { l.logs[0] = append(l.logs[0][:2:2], l.logs[0][3:]...) })
		if b := read(t, opened(t, l, events.Options{}), p, 0); !b.Gap {
			t.Errorf("for who is behind: %+v", b)
		}
		s := h.Subscribe(newID())
		h.Wake()
		time.Sleep(2 * time.Second)
		if b := read(t, h, p, 0); !b.Gap {
			t.Errorf("for who is told by a hub that met it: %+v", b)
		}
		select {
		case _, open := <-s.Events():
			if open || !s.Dropped() {
				t.Error("a subscriber is told, and not that events were missed")
			}
		default:
			t.Error("a subscriber was not told that events were missed")
		}
	})
}

// The log of pseudonyms is often idle: then the last event that was read is swept
// as soon as there is a newer one. Nobody has missed anything.
func TestASweepOfWhatWasReadIsNoGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		l.commit(endedAnonymous(newID()))
		h, p := caughtUp(t, l)
		id := newID()
		s := h.Subscribe(id)
		defer s.Close()
		l.commit(endedAnonymous(id))
		l.sweep(true, 1)
		h.Wake()
		if e := next(s); e.SessionID != id || s.Dropped() {
			t.Errorf("a subscriber is told %+v, and dropped is %v", e, s.Dropped())
		}
		if b := read(t, h, p, 0); b.Gap || len(b.Events) != 1 {
			t.Errorf("told %+v", b)
		}
	})
}

// Events about pseudonyms are not told for longer than they are kept.
func TestOldEventsOfPseudonymsAreAGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		l.commit(endedAnonymous(newID()))
		l.commit(endedAnonymous(newID()))
		time.Sleep(session.AnonymousEventsKept / 2)
		if b := read(t, h, p, 0); len(b.Events) != 2 {
			t.Errorf("told %+v", b)
		}
		time.Sleep(session.AnonymousEventsKept)
		l.sweep(true, 1)
		if b := read(t, h, p, 0); !b.Gap || len(b.Events) != 0 {
			t.Errorf("told %+v", b)
		}
	})
}

func TestASubscriberIsToldOfItsSessionOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h := opened(t, l, events.Options{})
		mine, other := newID(), newID()
		s, again := h.Subscribe(mine), h.Subscribe(mine)
		l.commit(created(mine))
		l.commit(ended(other))
		l.commit(ended(mine))
		h.Wake()
		for _, s := range []*events.Subscription{s, again} {
			if e := next(s); e.Kind != session.EventEnded || e.SessionID != mine || e.Reason != session.EndRevoked {
				t.Errorf("told %+v", e)
			}
		}
		l.commit(session.Event{Kind: session.EventCut, At: at})
		h.Wake()
		if e := next(s); e.Kind != session.EventCut {
			t.Errorf("told %+v", e)
		}
		next(again)
		s.Close()
		s.Close()
		if _, open := <-s.Events(); open || s.Dropped() {
			t.Error("a closed subscription yields, or was dropped")
		}
		l.commit(ended(mine))
		h.Wake()
		if e := next(again); e.Kind != session.EventEnded {
			t.Errorf("told %+v", e)
		}
		again.Close()
	})
}

func TestASlowSubscriberIsDroppedAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h := opened(t, l, events.Options{})
		id := newID()
		slow, quick := h.Subscribe(id), h.Subscribe(id)
		got := 0
		for range 20 {
			l.commit(ended(id))
			h.Wake()
			if next(quick).Kind == "" {
				t.Fatal("the quick one was not told")
			}
			got++
		}
		n := 0
		for next(slow).Kind != "" {
			n++
		}
		if !slow.Dropped() || quick.Dropped() || n == 0 || n >= 20 {
			t.Errorf("the slow one got %d and dropped is %v, the quick one got %d and dropped is %v", n, slow.Dropped(), got, quick.Dropped())
		}
		slow.Close()
		quick.Close()
	})
}

func TestDrainingEndsAllWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		h, p := caughtUp(t, l)
		s := h.Subscribe(newID())
		began := time.Now()
		var told sync.WaitGroup
		for range 10 {
			told.Go(func() {
				if b := read(t, h, p, 20*time.Second); len(b.Events) != 0 || b.Gap || b.Position == "" {
					t.Errorf("told %+v", b)
				}
			})
		}
		synctest.Wait()
		h.Drain()
		h.Drain()
		told.Wait()
		read(t, h, p, 20*time.Second)
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		if _, open := <-s.Events(); open || s.Dropped() {
			t.Error("the subscription is open, or was dropped")
		}
		if _, open := <-h.Subscribe(newID()).Events(); open {
			t.Error("one can still subscribe")
		}
	})
}

func TestAReaderMayGoAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := opened(t, &log{}, events.Options{})
		p := read(t, h, "", 0).Position
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.Read(ctx, p, 20*time.Second, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// What is asked of a node that is behind waits for it, and no longer than a
// second.
func TestANodeSaysWhetherItHasReadSoFar(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		ahead := opened(t, l, events.Options{})
		behind := &log{}
		h := opened(t, behind, events.Options{})
		event := ended(newID())
		l.commit(event)
		time.Sleep(2 * time.Second)
		p := read(t, ahead, "", 0).Position
		if ok, err := h.Reached(t.Context(), p); ok || err != nil {
			t.Errorf("a node that is behind: %v, %v", ok, err)
		}
		go func() {
			time.Sleep(time.Second / 2)
			behind.commit(event)
		}()
		if ok, err := h.Reached(t.Context(), p); !ok || err != nil {
			t.Errorf("a node that catches up: %v, %v", ok, err)
		}
		if b := read(t, h, p, 0); b.Gap {
			t.Errorf("another node's position: %+v", b)
		}
		if ok, err := h.Reached(t.Context(), "x"); ok || err != nil {
			t.Errorf("nobody's position: %v, %v", ok, err)
		}
		if _, err := h.Reached(t.Context(), "x y"); !errors.Is(err, events.ErrMalformed) {
			t.Errorf("no position: %v", err)
		}
	})
}

// What this node does not yet answer by is told to nobody: a service that was
// told would ask here and hear the contrary.
func TestNobodyIsToldBeforeTheNodeItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		old := opened(t, l, events.Options{})
		p := read(t, old, "", 0).Position
		first, second := newID(), newID()
		l.commit(ended(first))
		h := opened(t, l, events.Options{}) // so p is older than what it remembers
		s := h.Subscribe(second)
		defer s.Close()
		l.set(func(l *log) { l.deaf = errors.New("not yet") })
		l.commit(ended(second))
		h.Wake()
		time.Sleep(2 * time.Second)
		b := read(t, h, p, 0)
		if len(b.Events) != 1 || b.Events[0].SessionID != first || b.Gap {
			t.Errorf("who is behind is told %+v", b)
		}
		if b := read(t, h, b.Position, time.Second); len(b.Events) != 0 || b.Gap {
			t.Errorf("who waits is told %+v", b)
		}
		select {
		case e := <-s.Events():
			t.Errorf("a subscriber is told %+v", e)
		default:
		}
		l.set(func(l *log) { l.deaf = nil })
		if e := next(s); e.SessionID != second {
			t.Errorf("then a subscriber is told %+v", e)
		}
		if b := read(t, h, b.Position, 5*time.Second); len(b.Events) != 1 || b.Events[0].SessionID != second {
			t.Errorf("then it is told %+v", b)
		}
	})
}

// Who is far behind is told no more than they ask for, and all of it, also where
// a whole answer's worth of events are told to nobody.
func TestWhoIsFarBehindIsLedOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		p := read(t, opened(t, l, events.Options{}), "", 0).Position // before all events
		for range 20 {
			l.commit(ended(newID()))
		}
		for range 50 {
			l.commit(session.Event{Kind: session.EventCreated, SessionID: newID()})
		}
		l.commit(ended(newID()))
		l.commit(endedAnonymous(newID()))
		h := opened(t, l, events.Options{}) // which remembers none of them
		told, silent := 0, 0
		for more := true; more; {
			b, err := h.Read(t.Context(), p, 0, 5)
			if err != nil || b.Gap || len(b.Events) > 5 {
				t.Fatalf("%+v, %v", b, err)
			}
			if b.More && len(b.Events) == 0 {
				silent++
			}
			told += len(b.Events)
			p, more = b.Position, b.More
		}
		if told != 22 || silent == 0 {
			t.Errorf("%d were told, %d answers told nothing", told, silent)
		}
	})
}

// A store that fails in the middle of beginning anew changes nothing: subscribers
// are still told that events were missed.
func TestBeginningAnewIsDoneWhollyOrNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &log{}
		l.commit(ended(newID()))
		h := opened(t, l, events.Options{})
		s := h.Subscribe(newID())
		for range 5 {
			l.commit(ended(newID()))
		}
		l.set(func(l *log) {
			l.logs[0] = append(l.logs[0][:2:2], l.logs[0][3:]...)
			l.brokenEnd = [2]error{1: errors.New("locked")}
		})
		h.Wake()
		time.Sleep(2 * time.Second)
		l.set(func(l *log) { l.brokenEnd = [2]error{} })
		time.Sleep(2 * time.Second)
		select {
		case _, open := <-s.Events():
			if open || !s.Dropped() {
				t.Error("a subscriber is told, and not that events were missed")
			}
		default:
			t.Error("a subscriber was not told that events were missed")
		}
	})
}
