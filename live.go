package session

import (
	"crypto/subtle"
	"time"

	"github.com/mentalverse/session/token"
)

// live is the table of live sessions in memory, of what has been seen of them
// since their rows were last written, and of the moment at which each wants to
// be looked at next.
//
// A row is replaced only by a newer version of it. What a store read found is
// taken only if nothing of its shard was written meanwhile; an ended session
// stays as a tombstone for a while. So neither a slow reader nor a slow writer
// can bring back what has ended.
type live struct {
	pages  pages
	shards [64]shard
}

// sighting is what has been seen of a session and is not yet in its row. It
// holds no pointer.
type sighting struct {
	activity int64  // the latest in unix milliseconds, 0 for none
	since    uint32 // the second of the oldest activity that is not yet written
	usedGen  uint32 // the newest generation in use, 0 if the row knows it
}

// tombstoneLife is longer than any reader or writer may take.
const tombstoneLife = 2 * time.Minute

func newLive(epoch uint32, now time.Time) *live {
	l := &live{}
	for i := range l.shards {
		l.shards[i].open(epoch, now, &l.pages)
	}
	return l
}

func (l *live) shard(id token.ID) *shard { return &l.shards[id[len(id)-1]%64] }

// get reads the session with what was seen of it into a zero one, and returns a
// mark for keepRead.
func (l *live) get(id token.ID, s *Session) (mark uint64, ok bool) {
	sh := l.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	n := sh.find(id)
	if n == none || sh.is(n, packedStale) {
		return sh.writes, false
	}
	sh.row(n, s)
	sh.merge(n, s)
	return sh.writes, true
}

// mark is get for who wants none of the session.
func (l *live) mark(id token.ID) uint64 {
	sh := l.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.writes
}

// keepRead keeps what a store read found and returns it with what was seen of
// it. It is false, and keeps nothing, if the shard was written since the mark:
// the read may be older than that.
func (l *live) keepRead(s Session, mark uint64, now time.Time) (Session, bool) {
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	current := sh.writes == mark
	if current && !s.Ended() {
		sh.put(&s, now)
	}
	if n := sh.find(s.ID); n != none {
		sh.merge(n, &s)
	}
	return s, current
}

// keepWritten keeps a committed state, and forgets the sightings that it tells.
func (l *live) keepWritten(s *Session, now time.Time) {
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.writes++
	n := sh.find(s.ID)
	if n != none {
		sh.told(n, s)
		if !sh.is(n, packedStale) && packedVersion(sh.packed(n)) >= s.Version {
			return
		}
	}
	sh.put(s, now)
}

// forget drops a row whose stored state is no longer known. It is still looked
// at in its time. What has ended stays known.
func (l *live) forget(id token.ID) {
	sh := l.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.writes++
	if n := sh.find(id); n != none && !sh.is(n, packedEnded) {
		sh.packed(n)[packedFlags] |= packedStale
	}
}

// drop removes a forgotten row of which the store says that it does not live.
func (l *live) drop(id token.ID) {
	sh := l.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if n := sh.find(id); n != none && sh.is(n, packedStale) {
		sh.bury(n)
	}
}

// remembers reports whether the tag is of a token of the session whose signature
// was found good.
func (l *live) remembers(id token.ID, tag tokenTag) bool {
	sh := l.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	n := sh.find(id)
	return n != none && subtle.ConstantTimeCompare(sh.packed(n)[packedTag:packedRest], tag[:]) == 1
}

// remember notes that a token of the session has a good signature, in place of
// the one before.
func (l *live) remember(id token.ID, tag tokenTag) {
	sh := l.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if n := sh.find(id); n != none {
		copy(sh.packed(n)[packedTag:packedRest], tag[:])
	}
}

// see notes that a generation's session token was used and, unless activity is
// zero, that the person was there.
func (l *live) see(s *Session, gen uint32, activity, now time.Time) {
	if gen <= s.UsedGen && !activity.After(s.LastActivity) {
		return
	}
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := sh.find(s.ID)
	if n == none || sh.is(n, packedEnded) {
		return
	}
	seen, known := sh.seen[n]
	news := gen > s.UsedGen && gen > seen.usedGen
	if news {
		seen.usedGen = gen
	}
	if at := activity.UnixMilli(); !activity.IsZero() && at > seen.activity {
		if seen.since == 0 {
			seen.since = second(now)
			if what := (note{n, seen.since}); !news && !known && sh.later(n, s, what) {
				sh.notes = append(sh.notes, what)
			} else {
				news = true
			}
		}
		seen.activity = at
	}
	sh.seen[n] = seen
	if news {
		sh.schedule(n, now)
	}
}

// woken returns the sessions whose moment has come, and buries old tombstones.
// Each is looked at again only after it has been written, read or told to wake.
func (l *live) woken(now time.Time) []token.ID {
	var ids []token.ID
	for i := range l.shards {
		ids = l.shards[i].woken(now, ids)
	}
	return ids
}

// wake has the session looked at when its next moment comes, but not before
// the given one.
func (l *live) wake(id token.ID, notBefore, now time.Time) {
	sh := l.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := sh.find(id)
	if n == none {
		return
	}
	sh.schedule(n, now)
	if at := second(notBefore); sh.entries[n].wake < at {
		sh.wheel.add(sh.entries, n, at)
	}
}

// unwritten reports whether anything seen of the session should be in its row
// by now, or the moment of its last step should no longer be.
func (l *live) unwritten(id token.ID, now time.Time) bool {
	sh := l.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	n := sh.find(id)
	if n == none {
		return false
	}
	seen, ok := sh.seen[n]
	var stored Session
	sh.row(n, &stored)
	if at := stored.blurAt(); !at.IsZero() && !now.Before(at) {
		return true
	}
	return ok && second(now) >= sh.due(&stored, seen, now)
}

// allUnwritten returns every session of which something seen is not in its row.
func (l *live) allUnwritten() []token.ID {
	var ids []token.ID
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.RLock()
		for n := range sh.seen {
			ids = append(ids, sh.id(n))
		}
		sh.mu.RUnlock()
	}
	return ids
}

// countUnwritten returns of how many sessions something seen is not in its row.
func (l *live) countUnwritten() int {
	n := 0
	for i := range l.shards {
		l.shards[i].mu.RLock()
		n += len(l.shards[i].seen)
		l.shards[i].mu.RUnlock()
	}
	return n
}

// count returns how many sessions stand in the table, tombstones included.
func (l *live) count() int {
	n := 0
	for i := range l.shards {
		l.shards[i].mu.RLock()
		n += l.shards[i].count
		l.shards[i].mu.RUnlock()
	}
	return n
}
