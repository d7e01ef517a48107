package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// macKey makes HMAC-SHA-256 under one key (RFC 2104). To take a key up costs
// more than to hash what a token says, so states that did so are used again. Safe
// for concurrent use. The key stands in a function: see scheme.
type macKey struct{ states sync.Pool }

func newMACKey(key [32]byte) *macKey {
	return &macKey{sync.Pool{New: func() any { return newMACState(key) }}}
}

// sum returns the MAC of what write appends.
func (k *macKey) sum(write func([]byte) []byte) [32]byte {
	s := k.states.Get().(*macState)
	defer k.states.Put(s)
	return s.sum(write)
}

// macState has taken a key up. It belongs to one goroutine at a time.
type macState struct {
	mac  hash.Hash
	used bool
	text [160]byte // room for what is hashed
	out  [sha256.Size]byte
}

func newMACState(key [32]byte) *macState { return &macState{mac: hmac.New(sha256.New, key[:])} }

func (s *macState) sum(write func([]byte) []byte) [sha256.Size]byte {
	if s.used {
		s.mac.Reset()
	}
	s.used = true
	s.mac.Write(write(s.text[:0]))
	s.mac.Sum(s.out[:0])
	return s.out
}
