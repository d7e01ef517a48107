package events

import (
	"crypto/sha256"
	"encoding/binary"
	"sort"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// point is a place in a log: a position and a mark of the event that stands
// there. Another store, or one that was put back, has another event there. The
// zero point is before all events.
type point struct {
	at   uint64
	mark [8]byte
}

// pointOf is the point of an event, which is wholly in its mark but for its
// subject.
func pointOf(e *session.StoredEvent) point {
	b := make([]byte, 0, 128)
	b = binary.BigEndian.AppendUint64(b, e.Position)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	b = binary.BigEndian.AppendUint32(b, e.MinGen)
	b = append(b, e.SessionID[:]...)
	b = append(append(b, e.Kind...), 0)
	b = append(b, e.Reason...)
	sum := sha256.Sum256(b)
	return point{e.Position, [8]byte(sum[:])}
}

// told is an event that is told, as it is remembered: nobody's name is in it.
type told struct {
	point
	seen   int64 // when it was read, in unix seconds
	kind   session.EventKind
	id     token.ID
	reason session.EndReason
	minGen uint32
}

func (t *told) event() session.Event {
	return session.Event{Kind: t.kind, SessionID: t.id, Reason: t.reason, MinGen: t.minGen}
}

// passed is a point and when it was read.
type passed struct {
	point
	seen int64
}

// recent is what a hub remembers of a log: its end, the points before it, and
// the events that are told. Whoever stands at a point behind base can be told
// all from memory.
type recent struct {
	head point
	base uint64 // every told event behind it is in told
	past []passed
	told []told
}

func newRecent(head point, read time.Time) recent {
	return recent{head: head, base: head.at, past: []passed{{head, read.Unix()}}}
}

// add takes an event in and reports whether it is told.
func (r *recent) add(e *session.StoredEvent, read time.Time) bool {
	r.head = pointOf(e)
	r.past = append(r.past, passed{r.head, read.Unix()})
	if len(r.past) > remembered {
		r.dropPast(1)
	}
	if !e.Kind.EndsTrust() {
		return false
	}
	r.told = append(r.told, told{r.head, read.Unix(), e.Kind, e.SessionID, e.Reason, e.MinGen})
	if len(r.told) > remembered {
		r.dropTold(1)
	}
	return true
}

// forget drops what was read before a time, but for the end.
func (r *recent) forget(before time.Time) {
	at := before.Unix()
	r.dropPast(min(sort.Search(len(r.past), func(i int) bool { return r.past[i].seen >= at }), max(len(r.past)-1, 0)))
	r.dropTold(sort.Search(len(r.told), func(i int) bool { return r.told[i].seen >= at }))
}

func (r *recent) dropPast(n int) {
	clear(r.past[:n])
	r.past = r.past[n:]
}

func (r *recent) dropTold(n int) {
	if n == 0 {
		return
	}
	r.base = r.told[n-1].at
	clear(r.told[:n])
	r.told = r.told[n:]
}

// knows reports whether a point is one that was passed and is remembered.
func (r *recent) knows(p point) bool {
	i := sort.Search(len(r.past), func(i int) bool { return r.past[i].at >= p.at })
	return i < len(r.past) && r.past[i].point == p
}

// after returns the told events behind a position that is not before base.
func (r *recent) after(at uint64) []told {
	return r.told[sort.Search(len(r.told), func(i int) bool { return r.told[i].at > at }):]
}
