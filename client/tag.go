package client

import (
	"crypto/sha256"
	"sync/atomic"
)

// tagKey makes the tags by which tokens are remembered. It is drawn for each
// client, so that nobody outside can make two texts of one tag, and a tag read from
// memory is no token's.
type tagKey [32]byte

// tag is a keyed hash of a token's text: 128 bits of SHA-256. The key goes first;
// that a text could be made longer under the same key is of no use to who cannot
// see the tag.
type tag [16]byte

func (k *tagKey) of(raw string) tag {
	var buffer [1024]byte
	sum := sha256.Sum256(append(append(buffer[:0], k[:]...), raw...))
	return tag(sum[:])
}

// tags are the texts of one session that were found genuine, the newest first. A
// session has two in use while it is refreshed.
type tags struct{ list atomic.Pointer[[4]tag] }

func (t *tags) has(one tag) bool {
	list := t.list.Load()
	if list == nil {
		return false
	}
	for i := range list {
		if list[i] == one {
			return true
		}
	}
	return false
}

func (t *tags) add(one tag) {
	for !t.has(one) {
		old := t.list.Load()
		next := &[4]tag{one}
		if old != nil {
			copy(next[1:], old[:])
		}
		if t.list.CompareAndSwap(old, next) {
			return
		}
	}
}

// take adds what another has, as far as there is room: what was genuine is.
func (t *tags) take(other *tags) {
	if list := other.list.Load(); list != nil {
		next := &[4]tag{}
		if own := t.list.Load(); own != nil {
			*next = *own
		}
		for i, at := 0, 1; i < len(list) && at < len(next); i++ {
			if list[i] != next[0] {
				next[at] = list[i]
				at++
			}
		}
		t.list.Store(next)
	}
}
