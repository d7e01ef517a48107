package events

import (
	"context"
	"errors"
	"time"

	session "github.com/mentalverse/session"
)

// Bounds of who reads the feed.
const (
	readersAtOnce = 8           // who read the store themselves, being far behind
	patience      = time.Second // for a look, and for this node to catch up
)

// ErrSilent tells that the store has not been read for too long to say anything.
var ErrSilent = session.Refuse(session.CodeUnavailable, "The service cannot answer right now. Try again shortly.", errors.New("events: the store is silent"))

// Batch is one answer of the feed.
type Batch = session.Batch

// Read returns the events after a position, up to limit of them. If there are
// none it waits for one, but not longer than wait. Without a position there is a
// gap, and the batch tells where to go on from; so for a position that is not
// this log's, or too old. Errors are [ErrMalformed], [ErrSilent], the context's,
// and the store's.
func (h *Hub) Read(ctx context.Context, after string, wait time.Duration, limit int) (Batch, error) {
	called := time.Now()
	p, err := h.opened(after)
	switch {
	case after == "", errors.Is(err, errForeign):
		return h.gap(ctx, called)
	case err != nil:
		return Batch{}, err
	}
	if !h.reached(ctx, p) {
		return h.gap(ctx, called) // of a time that was undone
	}
	if !h.knows(p) {
		return h.resume(ctx, p, limit, called)
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	h.waiting.Add(1)
	defer h.waiting.Add(-1)
	for waiting := wait > 0; ; {
		if !waiting && !h.isDrained() {
			h.refresh(ctx)
		}
		b, ok, news := h.take(p, limit, called)
		switch {
		case !ok: // more has happened than is remembered
			return h.resume(ctx, p, limit, called)
		case b.Age > silence:
			return Batch{}, ErrSilent
		case len(b.Events) > 0 || !waiting:
			return b, nil
		}
		select {
		case <-news:
		case <-over.C:
			waiting = false
		case <-h.drained:
			waiting = false
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

// take returns what is remembered behind a position, and what is closed when
// there is more. It is false if not all behind it is remembered.
func (h *Hub) take(p position, limit int, called time.Time) (b Batch, ok bool, news <-chan struct{}) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for i := range h.logs {
		if p.at[i].at < h.logs[i].base {
			return b, false, nil
		}
	}
	b = h.answer(called)
	if p.keys != h.keys {
		b.Events = append(b.Events, session.Event{Kind: session.EventKeys})
	}
	whole := true
	p.keys = h.keys
	for i := range h.logs {
		list := h.logs[i].after(p.at[i].at)
		if room := max(limit-len(b.Events), 0); len(list) > room {
			list, whole = list[:room], false
		} else {
			p.at[i] = h.logs[i].head
		}
		for j := range list {
			b.Events = append(b.Events, list[j].event())
		}
		if n := len(list); n > 0 && !whole {
			p.at[i] = list[n-1].point
		}
	}
	if b.More = !whole; b.More {
		b.Position = h.sealed(p)
	}
	return b, true, h.news
}

// answer is a batch without events that goes on from the head. The caller holds
// mu.
func (h *Hub) answer(called time.Time) Batch {
	b := Batch{Position: h.head, Held: max(h.readAt.Sub(called), 0)}
	if h.readAt.Before(called) {
		b.Age = time.Since(h.readAt)
	}
	return b
}

// gap answers that events may have been missed.
func (h *Hub) gap(ctx context.Context, called time.Time) (Batch, error) {
	h.refresh(ctx)
	h.mu.RLock()
	defer h.mu.RUnlock()
	b := h.answer(called)
	b.Gap = true
	if b.Age > silence {
		return Batch{}, ErrSilent
	}
	return b, ctx.Err()
}

// knows reports whether a position is one that was passed, and all behind it is
// remembered.
func (h *Hub) knows(p position) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for i := range h.logs {
		if p.at[i].at < h.logs[i].base || !h.logs[i].knows(p.at[i]) {
			return false
		}
	}
	return true
}

// resume is Read for who is so far behind that the store must be asked. It goes
// no further than the hub has: what the hub has not read, this node does not yet
// answer by.
func (h *Hub) resume(ctx context.Context, p position, limit int, called time.Time) (Batch, error) {
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-ctx.Done():
		return Batch{}, ctx.Err()
	}
	h.refresh(ctx)
	h.mu.RLock()
	b, head := h.answer(called), h.position()
	h.mu.RUnlock()
	if b.Age > silence {
		return Batch{}, ErrSilent
	}
	if p.keys != head.keys {
		b.Events = append(b.Events, session.Event{Kind: session.EventKeys})
		p.keys = head.keys
	}
	for i := range h.logs {
		room := limit - len(b.Events)
		if room <= 0 {
			break
		}
		list, err := h.source.Events(ctx, i == anonymous, max(p.at[i].at, 1)-1, room+int(min(p.at[i].at, 1)))
		if err != nil {
			return Batch{}, err
		}
		if list, err = follows(p.at[i], list); err != nil {
			return h.gap(ctx, called)
		}
		for j := range list {
			e := &list[j]
			if e.Position > head.at[i].at {
				break
			}
			p.at[i] = pointOf(e)
			if e.Kind.EndsTrust() {
				b.Events = append(b.Events, session.Event{Kind: e.Kind, SessionID: e.SessionID, Reason: e.Reason, MinGen: e.MinGen})
			}
		}
	}
	if b.More = p.at != head.at; b.More {
		b.Position = h.sealed(p)
	} else {
		b.Position = h.sealed(head)
	}
	return b, nil
}

func (h *Hub) isDrained() bool {
	select {
	case <-h.drained:
		return true
	default:
		return false
	}
}

// refresh has the hub look at the logs, unless it has just done so, and waits
// until it did. Many who ask share a look.
func (h *Hub) refresh(ctx context.Context) {
	from := time.Now().Add(-fresh)
	h.until(ctx, func() bool { return h.readAt.After(from) })
}

// reached reports whether this node has read as far as a position, and waits a
// moment for it.
func (h *Hub) reached(ctx context.Context, p position) bool {
	return h.until(ctx, func() bool {
		return p.at[named].at <= h.logs[named].head.at && p.at[anonymous].at <= h.logs[anonymous].head.at
	})
}

// until waits, for a moment at the most, for looks that make something so, and
// reports whether it is. so is called with mu held.
func (h *Hub) until(ctx context.Context, so func() bool) bool {
	var over <-chan time.Time
	for {
		h.mu.RLock()
		done, looked := so(), h.looked
		h.mu.RUnlock()
		if done {
			return true
		}
		if over == nil {
			timer := time.NewTimer(patience)
			defer timer.Stop()
			over = timer.C
		}
		h.Wake()
		select {
		case <-looked:
		case <-over:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// Reached waits until this node answers at least as newly as a position that the
// feed gave: a second at the most, then it is false. So for a position of another
// store, key or restore epoch. The error is [ErrMalformed].
func (h *Hub) Reached(ctx context.Context, text string) (bool, error) {
	p, err := h.opened(text)
	if errors.Is(err, errForeign) {
		return false, nil
	}
	return err == nil && h.reached(ctx, p), err
}
