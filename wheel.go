package session

import "time"

// wheel orders a shard's entries by the second at which they want to be looked
// at: a list for each second, of which those a turn apart share one. An entry
// stands in it once. It is guarded by its shard.
type wheel struct {
	heads  [wheelSize]uint32
	turned uint32 // the second up to which it has been turned
	woken  []uint32
}

const wheelSize = 1024 // seconds

// second is a time as the wheel counts it.
func second(t time.Time) uint32 { return uint32(max(1, t.Unix())) }

// add puts an entry in, or moves it. A second that has passed comes at the next
// turn.
func (w *wheel) add(entries []entry, n, at uint32) {
	w.remove(entries, n)
	e := &entries[n]
	e.wake = max(at, w.turned)
	head := &w.heads[e.wake%wheelSize]
	if e.next = *head; e.next != none {
		entries[e.next].prev = n
	}
	*head = n
}

// remove takes an entry out, if it is in.
func (w *wheel) remove(entries []entry, n uint32) {
	e := &entries[n]
	if e.wake == 0 {
		return
	}
	if e.prev != none {
		entries[e.prev].next = e.next
	} else {
		w.heads[e.wake%wheelSize] = e.next
	}
	if e.next != none {
		entries[e.next].prev = e.prev
	}
	e.wake, e.next, e.prev = 0, none, none
}

// setBack is by how many seconds a clock must go back that all be looked at: what
// they wait for is then to be worked out anew.
const setBack = 60

// turn takes out and returns, until the next turn, those whose second has come.
// It looks at the second that it was turned to again: what was added since may
// want it. A clock that jumped makes it look at all.
func (w *wheel) turn(entries []entry, now uint32) []uint32 {
	passed, all := now-w.turned, false
	if now < w.turned {
		passed, all = wheelSize, w.turned-now >= setBack
	}
	w.turned, w.woken = now, w.woken[:0]
	for i := range min(passed, wheelSize-1) + 1 {
		for n := w.heads[(now-i)%wheelSize]; n != none; {
			next := entries[n].next
			if all || entries[n].wake <= now {
				w.remove(entries, n)
				w.woken = append(w.woken, n)
			}
			n = next
		}
	}
	return w.woken
}
