package events_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/events"
)

// follower reads the feed as a service does, and is held against what happened.
type follower struct {
	position string
	told     map[string]int // by the session's id
	since    int            // how many had happened when it last had a gap
}

// Whatever happens in whatever order, over restarts, sweeps, small answers and
// long pauses, a follower is told everything since its last gap and nothing
// twice; and there is a gap only if something was swept that it had not seen.
func TestEverythingIsToldOnceOrThereIsAGap(t *testing.T) {
	gaps, toldAll := 0, 0
	for seed := range uint64(150) {
		bubble(t, func(t *testing.T) {
			g, n := story(t, seed)
			gaps, toldAll = gaps+g, toldAll+n
		})
	}
	t.Logf("%d events were told, %d gaps found", toldAll, gaps)
	if gaps < 50 || toldAll < 10_000 {
		t.Error("the stories are too dull to show anything")
	}
}

// start runs a hub over the log until it is stopped.
func start(t *testing.T, l *log) (h *events.Hub, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	h, err := events.New(ctx, l, events.Options{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	return h, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func story(t *testing.T, seed uint64) (gaps, toldAll int) {
	random := rand.New(rand.NewPCG(seed, 7))
	l := &log{keys: "k"}
	h, stop := start(t, l)
	defer func() { stop() }()

	var happened []string
	index := map[string]int{}
	followers := make([]*follower, 3)
	for i := range followers {
		followers[i] = &follower{told: map[string]int{}}
	}
	swept := false
	for step := range 120 {
		switch random.IntN(12) {
		case 0, 1, 2, 3, 4, 5:
			for range 1 + random.IntN(6) {
				id := newID()
				e := ended(id)
				if random.IntN(2) == 0 {
					e = endedAnonymous(id)
				}
				if random.IntN(3) == 0 {
					e.Kind = session.EventCreated
				} else {
					index[id.String()] = len(happened)
					happened = append(happened, id.String())
				}
				l.commit(e)
			}
			if random.IntN(2) == 0 {
				h.Wake()
			}
		case 6:
			time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		case 7:
			if random.IntN(4) == 0 {
				swept = true
				l.sweep(random.IntN(2) == 0, random.IntN(12))
			}
		case 8:
			if random.IntN(3) == 0 { // a restart
				stop()
				h, stop = start(t, l)
			}
		default:
			f := followers[random.IntN(len(followers))]
			wait := time.Duration(random.IntN(2)*random.IntN(3)) * time.Second
			b, err := h.Read(t.Context(), f.position, wait, 1+random.IntN(5))
			if err != nil {
				t.Fatal(err)
			}
			if b.Gap {
				if f.position != "" && !swept {
					t.Fatalf("seed %d, step %d: a gap, and nothing was swept", seed, step)
				}
				if f.position != "" {
					gaps++
				}
				clear(f.told)
				f.since = len(happened)
			}
			f.take(t, b, fmt.Sprintf("seed %d, step %d", seed, step))
		}
	}
	// In the end everybody reads on until there is no more. An answer may rest on a
	// look of a moment ago, and says so.
	time.Sleep(time.Second)
	for _, f := range followers {
		for {
			b, err := h.Read(t.Context(), f.position, 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			if b.Gap {
				clear(f.told)
				f.since = len(happened)
			}
			f.take(t, b, fmt.Sprintf("seed %d", seed))
			if !b.More && !b.Gap {
				break
			}
		}
		for _, id := range happened[f.since:] {
			if f.told[id] != 1 {
				t.Fatalf("seed %d: event %d of %d was told %d times", seed, index[id], len(happened), f.told[id])
			}
		}
		toldAll += len(f.told)
	}
	return gaps, toldAll
}

func (f *follower) take(t *testing.T, b events.Batch, where string) {
	t.Helper()
	f.position = b.Position
	for _, e := range b.Events {
		id := e.SessionID.String()
		if f.told[id]++; f.told[id] > 1 {
			t.Fatalf("%s: an event was told twice", where)
		}
	}
}

// FuzzPosition gives the feed any text for a position: it is refused, or a gap,
// or one that was given, and nothing else.
func FuzzPosition(f *testing.F) {
	l := &log{}
	l.commit(ended(newID()))
	ctx, cancel := context.WithCancel(context.Background())
	f.Cleanup(cancel)
	h, err := events.New(ctx, l, events.Options{})
	if err != nil {
		f.Fatal(err)
	}
	go h.Run(ctx)
	given := read(f, h, "", 0).Position
	f.Add("")
	f.Add(given)
	f.Add(given[:len(given)-1])
	f.Add("." + given[1:])
	f.Add(given + "A")
	f.Add("é")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := h.Read(ctx, text, 0, 10)
		switch {
		case err != nil && !errors.Is(err, events.ErrMalformed):
			t.Fatal(err)
		case err == nil && b.Gap == (text == given):
			t.Fatalf("%q: %+v", text, b)
		case err == nil && len(b.Events) != 0:
			t.Fatalf("%q: told %+v", text, b)
		}
	})
}
