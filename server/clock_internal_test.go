package server

import (
	"log/slog"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// alarms counts what an operator is told.
type alarms map[string]int

func (a alarms) Alarm(name string)   { a[name]++ }
func (a alarms) Event(session.Event) {}

// bench of a clock: the wall, and what passes and is slept, are set by hand.
type wall struct {
	now           time.Time
	passed, slept time.Duration
}

func (w *wall) clock() (*clock, alarms) {
	a := alarms{}
	return newClock(source{
		wall:   func() time.Time { return w.now },
		passed: func() time.Duration { return w.passed },
		slept:  func() time.Duration { return w.slept },
	}, slog.New(slog.DiscardHandler), a), a
}

// tick lets a second pass, and the clock look.
func (w *wall) tick(c *clock) {
	w.now = w.now.Add(time.Second)
	w.passed += time.Second
	c.look()
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestAClockThatIsSetIsFollowedSlowly(t *testing.T) {
	for name, jump := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour back": -time.Hour, "a second": time.Second} {
		t.Run(name, func(t *testing.T) {
			w := &wall{now: noon}
			c, told := w.clock()
			w.tick(c)
			if !c.Now().Equal(w.now) {
				t.Fatalf("before: %v, want %v", c.Now(), w.now)
			}
			w.now = w.now.Add(jump)
			truth := noon.Add(time.Second)
			last := c.Now()
			for range 60 {
				w.tick(c)
				truth = truth.Add(time.Second)
				now := c.Now()
				if step := now.Sub(last); step < 900*time.Millisecond || step > 1100*time.Millisecond {
					t.Fatalf("a second took %v", step)
				}
				last = now
			}
			if off := last.Sub(truth).Abs(); off > 6*time.Second {
				t.Errorf("%v off after a minute", off)
			}
			for range 40_000 {
				w.tick(c)
			}
			if !c.Now().Equal(w.now) {
				t.Errorf("it never agrees: %v, want %v", c.Now(), w.now)
			}
			if want := map[bool]int{true: 1, false: 0}[jump.Abs() > clockFair]; told["clock_jump"] != want {
				t.Errorf("told %d times, want %d", told["clock_jump"], want)
			}
		})
	}
}

// A machine that slept through the night has slept: its sessions are over.
func TestASleepIsTimeThatPassed(t *testing.T) {
	w := &wall{now: noon}
	c, told := w.clock()
	w.tick(c)
	w.now, w.slept = w.now.Add(8*time.Hour), w.slept+8*time.Hour
	w.tick(c)
	if off := c.Now().Sub(w.now).Abs(); off > 100*time.Millisecond || len(told) != 0 {
		t.Errorf("%v off, told %v", off, told)
	}
}

// The machine's own clock, for a moment: it is the wall's, and never goes back.
func TestTheMachinesClock(t *testing.T) {
	c := newClock(machine(), slog.New(slog.DiscardHandler), alarms{})
	last := c.Now()
	for range 10_000 {
		now := c.Now()
		if now.Before(last) {
			t.Fatal("it went back")
		}
		last = now
	}
	c.look()
	if off := time.Since(c.Now()).Abs(); off > time.Second {
		t.Errorf("%v off the wall", off)
	}
}
