package httpapi

import (
	"hash/maphash"
	"sync"
	"time"
)

// window is the span that a rate's quota is for.
const window = time.Minute

// rate is how many requests a window allows.
type rate int

// interval is what one request costs of the window.
func (r rate) interval() int64 { return int64(window) / int64(r) }

// bucket is the state of a key after a request.
type bucket struct {
	ok        bool
	remaining int           // requests that would be allowed right now
	reset     time.Duration // until the quota is whole again; with nothing left, until one request is allowed
}

// limiter counts requests by key with the generic cell rate algorithm: one
// number a key, the time at which its quota will be whole again. A request
// moves it on by an interval, and is refused if that would pass a window from
// now. A key may thus use its quota at once, and then one request an interval.
//
// Its memory is fixed. A full set gives the place of its least used key, so a
// flood of new keys pushes out only keys with no more requests than they have
// themselves; sets are picked by a hash under a seed of this process, so it
// cannot aim. Nothing here tells whose an entry is.
type limiter struct {
	seed  maphash.Seed
	began time.Time
	sets  []limiterSet
	locks [256]paddedMutex
}

type limiterSet [8]struct {
	key   uint64
	whole int64 // nanoseconds since began; 0: free
}

// paddedMutex keeps neighbouring locks off one cache line.
type paddedMutex struct {
	sync.Mutex
	_ [56]byte
}

// limiterKeys is how many keys a limiter knows at once, in 2 MiB.
const limiterKeys = 1 << 17

// newLimiter returns a limiter of at least so many keys, a power of two.
func newLimiter(keys int, now time.Time) *limiter {
	sets := max(keys/len(limiterSet{}), 1)
	return &limiter{seed: maphash.MakeSeed(), began: now.Add(-window), sets: make([]limiterSet, sets)}
}

// limiterKey names who is counted: the kind keeps an address and a session
// apart. Two share a key by chance only, once in 2^64.
type limiterKey struct {
	kind byte
	id   [21]byte
}

// allow charges a request to the key if its quota has room. A refused one costs
// nothing, so that a client which goes on asking is served at its rate.
func (l *limiter) allow(k limiterKey, r rate, now time.Time) bucket {
	hash := maphash.Comparable(l.seed, k)
	i := int(hash & uint64(len(l.sets)-1))
	mu := &l.locks[i%len(l.locks)].Mutex
	mu.Lock()
	defer mu.Unlock()
	set := &l.sets[i]
	e := &set[0]
	for j := range set {
		if set[j].key == hash && set[j].whole != 0 {
			e = &set[j]
			break
		}
		if set[j].whole < e.whole {
			e = &set[j]
		}
	}

	at := int64(now.Sub(l.began))
	full := at + int64(window)
	whole := at
	if e.key == hash {
		whole = max(at, min(e.whole, full)) // a clock set back makes nobody wait longer than a window
	}
	b := bucket{ok: whole+r.interval() <= full}
	if b.ok {
		whole += r.interval()
		e.key, e.whole = hash, whole
	}
	b.remaining, b.reset = int((full-whole)/r.interval()), time.Duration(whole-at)
	if b.remaining == 0 {
		b.reset = time.Duration(whole + r.interval() - full)
	}
	return b
}
