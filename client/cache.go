package client

import (
	"encoding/binary"
	"sync"

	"github.com/mentalverse/session/token"
)

// maxShards is how many parts a cache has, unless it is so small that their parts of
// the bound would be.
const maxShards = 64

// cache holds the sessions that are followed, up to a bound. Reads of different
// sessions seldom meet, and those of one share a lock.
type cache struct{ shards []shard }

// shard evicts like a clock: the hand passes by what was used since it last came.
type shard struct {
	mu    sync.RWMutex
	byID  map[token.ID]int32 // place in ring
	ring  []*followed
	bound int
	hand  int
}

func newCache(entries int) *cache {
	n := maxShards
	if entries < 16*maxShards {
		n = 1
	}
	c := &cache{make([]shard, n)}
	for i := range c.shards {
		c.shards[i] = shard{byID: map[token.ID]int32{}, bound: entries / n}
	}
	return c
}

// shard is chosen by random bytes of the id, which nobody can choose who opens
// sessions.
func (c *cache) shard(id token.ID) *shard {
	return &c.shards[int(binary.BigEndian.Uint16(id[len(id)-2:]))%len(c.shards)]
}

// find returns the session, nil if it is not here.
func (c *cache) find(id token.ID) *followed {
	s := c.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.byID[id]
	if !ok {
		return nil
	}
	f := s.ring[n]
	if !f.used.Load() { // so that a busy session's line is only read
		f.used.Store(true)
	}
	return f
}

// put remembers a session, in place of what is known of it.
func (c *cache) put(f *followed) {
	s := c.shard(f.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.byID[f.id]; ok {
		s.ring[n] = f
		return
	}
	if len(s.ring) < s.bound {
		s.byID[f.id] = int32(len(s.ring))
		s.ring = append(s.ring, f)
		return
	}
	for s.ring[s.hand].used.Swap(false) {
		s.hand = (s.hand + 1) % len(s.ring)
	}
	delete(s.byID, s.ring[s.hand].id)
	s.byID[f.id] = int32(s.hand)
	s.ring[s.hand] = f
	s.hand = (s.hand + 1) % len(s.ring)
}

// end leaves of a session that is here no more than its refusal.
func (c *cache) end(id token.ID, refusal *Error) {
	if f := c.find(id); f != nil {
		ended := &followed{id: id, first: f.first, refusal: refusal}
		ended.genuine.list.Store(f.genuine.list.Load())
		c.put(ended)
	}
}

// forget drops a session.
func (c *cache) forget(id token.ID) {
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.byID[id]
	if !ok {
		return
	}
	last := len(s.ring) - 1
	s.ring[n] = s.ring[last]
	s.byID[s.ring[n].id] = n
	s.ring[last] = nil
	s.ring = s.ring[:last]
	delete(s.byID, id)
	if s.hand >= len(s.ring) {
		s.hand = 0
	}
}

// forgetAll drops everything.
func (c *cache) forgetAll() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.byID, s.ring, s.hand = map[token.ID]int32{}, nil, 0
		s.mu.Unlock()
	}
}

func (c *cache) len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.ring)
		s.mu.RUnlock()
	}
	return n
}
