package session

import (
	"sync"
	"time"

	"github.com/mentalverse/session/token"
)

// live is the table of live sessions in memory, and of what has been seen of
// them since their rows were last written.
//
// A row is replaced only by a newer version of it. What a store read found is
// taken only if nothing of its shard was written meanwhile; an ended session
// stays as a tombstone for a while. So neither a slow reader nor a slow writer
// can bring back what has ended.
type live struct {
	shards [64]liveShard
}

type liveShard struct {
	mu     sync.RWMutex
	writes uint64
	rows   map[token.ID]Session
	seen   map[token.ID]sighting
}

// sighting is what has been seen of a session and is not yet in its row.
type sighting struct {
	usedGen  uint32
	activity time.Time
	since    time.Time // of the oldest activity not yet written
	isNewGen bool
}

// tombstoneLife is longer than any reader or writer may take.
const tombstoneLife = 2 * time.Minute

func newLive() *live {
	l := &live{}
	for i := range l.shards {
		l.shards[i].rows = map[token.ID]Session{}
		l.shards[i].seen = map[token.ID]sighting{}
	}
	return l
}

func (l *live) shard(id token.ID) *liveShard { return &l.shards[id[len(id)-1]%64] }

// get returns the session with what was seen of it, and a mark for keepRead.
func (l *live) get(id token.ID) (s Session, mark uint64, ok bool) {
	sh := l.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	s, ok = sh.rows[id]
	if ok {
		s = sh.merge(s)
	}
	return s, sh.writes, ok
}

func (sh *liveShard) merge(s Session) Session {
	seen, ok := sh.seen[s.ID]
	if !ok {
		return s
	}
	s.UsedGen = max(s.UsedGen, min(seen.usedGen, s.Generation))
	if seen.activity.After(s.LastActivity) {
		s.LastActivity = seen.activity
	}
	return s
}

// keepRead keeps what a store read found, unless the shard was written since
// the mark, and returns it with what was seen of it.
func (l *live) keepRead(s Session, mark uint64) Session {
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.writes == mark && !s.Ended() {
		sh.rows[s.ID] = s
	}
	return sh.merge(s)
}

// keepWritten keeps a committed state.
func (l *live) keepWritten(s Session) {
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.writes++
	if old, ok := sh.rows[s.ID]; ok && old.Version >= s.Version {
		return
	}
	sh.rows[s.ID] = s
	if s.Ended() {
		delete(sh.seen, s.ID)
	}
}

// forget drops a row whose stored state is no longer known.
func (l *live) forget(id token.ID) {
	sh := l.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.writes++
	if !func() bool { s, ok := sh.rows[id]; return ok && s.Ended() }() {
		delete(sh.rows, id)
	}
}

// bury removes a tombstone.
func (l *live) bury(id token.ID) {
	sh := l.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s, ok := sh.rows[id]; ok && s.Ended() {
		sh.writes++
		delete(sh.rows, id)
	}
}

// see notes that a generation's session token was used and, unless activity is
// zero, that the person was there. It reports whether the generation is new.
func (l *live) see(s Session, gen uint32, activity, now time.Time) {
	if gen <= s.UsedGen && !activity.After(s.LastActivity) {
		return
	}
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := sh.seen[s.ID]
	if gen > s.UsedGen && gen > n.usedGen {
		n.usedGen, n.isNewGen = gen, true
	}
	if activity.After(n.activity) {
		if n.since.IsZero() {
			n.since = now
		}
		n.activity = activity
	}
	sh.seen[s.ID] = n
}

// due returns the sessions whose sightings should be written now: a newly used
// generation at once, activity after a minute or shortly before the idle end
// that is stored.
func (l *live) due(now time.Time, all bool) []token.ID {
	var ids []token.ID
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.RLock()
		for id, n := range sh.seen {
			stored, ok := sh.rows[id]
			if all || !ok || n.isNewGen || now.Sub(n.since) >= activityEvery ||
				stored.IdleEnd().Sub(now) <= activityAhead {
				ids = append(ids, id)
			}
		}
		sh.mu.RUnlock()
	}
	return ids
}

// written forgets the sightings that a committed row already tells.
func (l *live) written(s Session) {
	sh := l.shard(s.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n, ok := sh.seen[s.ID]
	if !ok {
		return
	}
	if n.usedGen <= s.UsedGen {
		n.isNewGen = false
	}
	if !n.activity.After(s.LastActivity) {
		n.since = time.Time{}
	}
	if !n.isNewGen && n.since.IsZero() {
		delete(sh.seen, s.ID)
		return
	}
	sh.seen[s.ID] = n
}

// count returns how many sessions stand in the table, tombstones included.
func (l *live) count() int {
	n := 0
	for i := range l.shards {
		l.shards[i].mu.RLock()
		n += len(l.shards[i].rows)
		l.shards[i].mu.RUnlock()
	}
	return n
}
