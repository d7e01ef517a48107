package session

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/mentalverse/session/token"
)

// shard is one part of the live table: packed sessions in a slab, an index of
// them by id, and a wheel that tells whose moment has come. Its size costs the
// collector nothing: only its lists hold pointers. mu guards all of it.
type shard struct {
	mu     sync.RWMutex
	writes uint64
	epoch  uint32

	slab    slab
	terms   termsTable
	entries []entry // 0 is none
	free    []uint32
	index   []uint32 // entries by their ids, open addressing
	count   int      // entries in use
	wheel   wheel
	seen    map[uint32]sighting // by entry
	notes   []note              // the oldest first
	scratch []byte
}

// note is an activity that is to be written a minute after it was seen, though
// its entry waits in the wheel for something later. Most sightings are no more:
// a list costs one write where the wheel must find and mend three places.
type note struct{ entry, since uint32 }

// entry is one session's place in the shard.
type entry struct {
	at         slot
	wake       uint32 // the second at which it wants to be looked at; 0: asleep
	next, prev uint32 // in the wheel
}

// none is the entry of no session.
const none = 0

func (sh *shard) open(epoch uint32, now time.Time, from *pages) {
	sh.epoch = epoch
	sh.slab.pages = from
	sh.entries = make([]entry, 1, 16)
	sh.index = make([]uint32, 16)
	sh.seen = map[uint32]sighting{}
	sh.wheel.turned = second(now)
}

// The index holds an entry's number, at most 2^24 in a shard, and above it eight
// bits of its id's hash: an entry of another id is hardly ever looked at.
const (
	numberBits = 24
	numberMask = 1<<numberBits - 1
)

// home is where the index looks for an id first, and the tag it looks for. Ids
// are random where it looks, and only this service makes those that are kept.
func (sh *shard) home(id token.ID) (i int, tag uint32) {
	return int(binary.LittleEndian.Uint32(id[5:])) & (len(sh.index) - 1), uint32(id[9]) << numberBits
}

// find returns the entry of an id, or none.
func (sh *shard) find(id token.ID) uint32 {
	for i, tag := sh.home(id); ; i = (i + 1) & (len(sh.index) - 1) {
		at := sh.index[i]
		if n := at & numberMask; n == none || at&^numberMask == tag && sh.id(n) == id {
			return n
		}
	}
}

// add makes an entry findable.
func (sh *shard) add(n uint32) {
	if sh.count++; sh.count > len(sh.index)*4/5 {
		old := sh.index
		sh.index = make([]uint32, 2*len(old))
		for _, at := range old {
			if at != none {
				sh.place(at & numberMask)
			}
		}
	}
	sh.place(n)
}

func (sh *shard) place(n uint32) {
	i, tag := sh.home(sh.id(n))
	for sh.index[i] != none {
		i = (i + 1) & (len(sh.index) - 1)
	}
	sh.index[i] = tag | n
}

// remove takes an entry out of the index, and moves those behind it that it
// kept from their homes.
func (sh *shard) remove(n uint32) {
	mask := len(sh.index) - 1
	gap, _ := sh.home(sh.id(n))
	for sh.index[gap]&numberMask != n {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; sh.index[i] != none; i = (i + 1) & mask {
		if home, _ := sh.home(sh.id(sh.index[i] & numberMask)); (i-home)&mask >= (i-gap)&mask {
			sh.index[gap] = sh.index[i]
			gap = i
		}
	}
	sh.index[gap] = none
	sh.count--
}

// packed is the bytes of an entry's session.
func (sh *shard) packed(n uint32) []byte { return sh.slab.at(sh.entries[n].at) }

func (sh *shard) id(n uint32) token.ID { return token.ID(sh.packed(n)[packedID:]) }

func (sh *shard) is(n uint32, flag byte) bool { return sh.packed(n)[packedFlags]&flag != 0 }

// row reads the session of an entry as it was last read or written.
func (sh *shard) row(n uint32, s *Session) {
	readPacked(sh.packed(n), &sh.terms, s)
	s.RestoreEpoch = sh.epoch
}

// put keeps a session in place of what stood there, and has it looked at in its
// time.
func (sh *shard) put(s *Session, now time.Time) {
	n := sh.find(s.ID)
	var tag tokenTag
	if n != none {
		tag = tokenTag(sh.packed(n)[packedTag:])
	}
	sh.scratch = appendPacked(sh.scratch[:0], s, tag, sh.terms.acquire(s))
	switch last := len(sh.free) - 1; {
	case n != none:
		sh.release(n)
		sh.entries[n].at = sh.slab.put(sh.scratch)
	case last >= 0:
		n, sh.free = sh.free[last], sh.free[:last]
		sh.entries[n].at = sh.slab.put(sh.scratch)
		sh.add(n)
	default:
		n = uint32(len(sh.entries))
		sh.entries = append(sh.entries, entry{at: sh.slab.put(sh.scratch)})
		sh.add(n)
	}
	if s.Ended() {
		delete(sh.seen, n)
		sh.schedule(n, now)
		return
	}
	sh.scheduleOf(n, s, now)
}

// bury removes an entry and all that is known of it.
func (sh *shard) bury(n uint32) {
	sh.writes++
	sh.wheel.remove(sh.entries, n)
	sh.remove(n)
	sh.release(n)
	delete(sh.seen, n)
	sh.entries[n] = entry{}
	sh.free = append(sh.free, n)
}

// release gives back what an entry's session took.
func (sh *shard) release(n uint32) {
	sh.terms.release(packedTerms(sh.packed(n)))
	sh.slab.drop(sh.entries[n].at)
}

// merge adds to a session what was seen of it.
func (sh *shard) merge(n uint32, s *Session) {
	seen, ok := sh.seen[n]
	if !ok {
		return
	}
	s.UsedGen = max(s.UsedGen, min(seen.usedGen, s.Generation))
	if at := time.UnixMilli(seen.activity).UTC(); at.After(s.LastActivity) {
		s.LastActivity = at
	}
}

// told forgets the sightings that a committed row tells.
func (sh *shard) told(n uint32, s *Session) {
	seen, ok := sh.seen[n]
	if !ok {
		return
	}
	if seen.usedGen <= s.UsedGen {
		seen.usedGen = 0
	}
	if seen.activity <= s.LastActivity.UnixMilli() {
		seen.activity, seen.since = 0, 0
	}
	if seen == (sighting{}) {
		delete(sh.seen, n)
		return
	}
	sh.seen[n] = seen
}

// due is when a sighting should be in the row: a newly used generation at once,
// activity after a minute or shortly before the idle end that is stored.
func (sh *shard) due(stored *Session, seen sighting, now time.Time) uint32 {
	if seen.usedGen > 0 {
		return second(now)
	}
	since := min(seen.since, second(now)) // a clock may have been set back
	return min(note{since: since}.due(), second(stored.IdleEnd().Add(-activityAhead)))
}

// schedule has an entry looked at when its next moment comes: its burial, its
// end, or before it the writing of what was seen of it.
func (sh *shard) schedule(n uint32, now time.Time) {
	if sh.is(n, packedEnded) {
		sh.wheel.add(sh.entries, n, second(now.Add(tombstoneLife)))
		return
	}
	var stored Session
	sh.row(n, &stored)
	sh.scheduleOf(n, &stored, now)
}

// scheduleOf is schedule for who has the session, which lives, at hand.
func (sh *shard) scheduleOf(n uint32, stored *Session, now time.Time) {
	at := second(stored.IdleEnd())
	if seen, ok := sh.seen[n]; ok {
		merged := *stored
		sh.merge(n, &merged)
		at = min(second(merged.IdleEnd()), sh.due(stored, seen, now))
	}
	if blur := stored.blurAt(); !blur.IsZero() {
		at = min(at, second(blur)+1)
	}
	sh.wheel.add(sh.entries, n, at)
}

// woken appends those whose moment has come, and buries old tombstones.
func (sh *shard) woken(now time.Time, to []token.ID) []token.ID {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	to = sh.noted(second(now), to)
	for _, n := range sh.wheel.turn(sh.entries, second(now)) {
		if sh.is(n, packedEnded) { // a clock set back buries sooner, which does no harm
			sh.bury(n)
		} else {
			to = append(to, sh.id(n))
		}
	}
	return to
}

// noted appends those of whom an activity was seen a minute ago and is not yet
// written. Those noted by a clock that has been set back since are told too, so
// that they are looked at and put into the wheel.
func (sh *shard) noted(now uint32, to []token.ID) []token.ID {
	for len(sh.notes) > 0 && (now >= sh.notes[0].due() || now < sh.notes[0].since) {
		n := sh.notes[0]
		sh.notes = sh.notes[1:]
		if sh.seen[n.entry].since == n.since {
			sh.wheel.remove(sh.entries, n.entry)
			to = append(to, sh.id(n.entry))
		}
	}
	return to
}

// due is when what was noted should be written.
func (n note) due() uint32 { return n.since + uint32(activityEvery/time.Second) }

// later reports whether a first sighting of a session that is as it was read can
// be noted: nothing of it is to be written before its note is due.
func (sh *shard) later(n uint32, stored *Session, what note) bool {
	return sh.entries[n].wake != 0 && !sh.is(n, packedStale) && packedVersion(sh.packed(n)) == stored.Version &&
		what.due() <= second(stored.IdleEnd().Add(-activityAhead))
}
