package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	session "github.com/mentalverse/session"
)

// clock is the server's time. It begins as the wall's, counts by itself what
// passes, a sleep of the machine included, and follows the wall at a tenth of
// the speed of time: somebody who sets the wall an hour ahead does not end every
// session that was used an hour ago, and one who sets it back revives none.
type clock struct {
	source source
	began  time.Time     // on the wall, by now
	start  time.Duration // of the source's passed, then
	offset atomic.Int64  // nanoseconds by which it differs from what it counted

	passed, slept time.Duration // at the last look
	astray        bool
	log           *slog.Logger
	observer      session.Observer
}

// source is where a clock looks.
type source struct {
	wall   func() time.Time
	passed func() time.Duration // while the machine was awake
	slept  func() time.Duration // while it was not
}

const (
	clockLooks = time.Second // how often the clock looks at the wall
	clockSlew  = 10          // the part of a second by which it follows the wall in one
	clockFair  = 2 * time.Second
)

func newClock(s source, log *slog.Logger, o session.Observer) *clock {
	c := &clock{source: s, began: s.wall().Round(0), start: s.passed(), log: log, observer: o}
	c.passed, c.slept = c.start, s.slept()
	return c
}

// Now returns the time. It never goes back.
func (c *clock) Now() time.Time {
	return c.began.Add(c.source.passed() - c.start + time.Duration(c.offset.Load()))
}

// look adds what the machine slept, and goes a little towards the wall.
func (c *clock) look() {
	passed, slept := c.source.passed(), c.source.slept()
	elapsed, asleep := passed-c.passed, max(0, slept-c.slept)
	c.passed, c.slept = passed, slept
	c.offset.Add(int64(asleep))
	off := c.source.wall().Round(0).Sub(c.Now())
	step := elapsed / clockSlew
	c.offset.Add(int64(min(max(off, -step), step)))
	astray := off > clockFair || off < -clockFair
	if astray && !c.astray {
		c.observer.Alarm("clock_jump")
		c.log.Error("clock_jump: the machine's clock was set; the service follows it slowly, and is wrong or right by this much until then", "off", off.Round(time.Second).String())
	}
	c.astray = astray
}

// run looks at the wall until ctx is done.
func (c *clock) run(ctx context.Context) {
	t := time.NewTicker(clockLooks)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			c.look()
		}
	}
}
