package events

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"

	session "github.com/mentalverse/session"
)

// position is how far somebody has been told: a point in each log, and the keys
// that they know of.
type position struct {
	epoch uint32
	at    [2]point
	keys  keyMark
}

const (
	positionVersion = 1
	pointLen        = 8 + 8
	positionLen     = 1 + 4 + 2*pointLen + 4
	// MaxPosition is the longest text that may be a position.
	MaxPosition = 256
)

var encoding = base64.RawURLEncoding.Strict()

// newSeal makes what seals positions. They are encrypted with a fresh nonce, so
// that neither their numbers nor their being the same or not tell how many have
// signed in, or that a pseudonym has just come.
func newSeal(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealed is the text of a position.
func (h *Hub) sealed(p position) string {
	b := make([]byte, h.seal.NonceSize(), h.seal.NonceSize()+positionLen+h.seal.Overhead())
	rand.Read(b)
	plain := make([]byte, 0, positionLen)
	plain = append(plain, positionVersion)
	plain = binary.BigEndian.AppendUint32(plain, p.epoch)
	for _, at := range p.at {
		plain = binary.BigEndian.AppendUint64(plain, at.at)
		plain = append(plain, at.mark[:]...)
	}
	plain = append(plain, p.keys[:]...)
	return encoding.EncodeToString(h.seal.Seal(b, b, plain, nil))
}

// ErrMalformed tells of a text that is no position of any service.
var ErrMalformed = session.Refuse(session.CodeInvalidRequest, "after is a position from an earlier answer.", nil)

// errForeign tells of a position that this service did not give, or under
// another key or restore epoch.
var errForeign = errors.New("events: the position is another's")

// opened reads the text of a position: ErrMalformed, or errForeign.
func (h *Hub) opened(text string) (p position, err error) {
	if !wellFormed(text) {
		return p, ErrMalformed
	}
	b, err := encoding.DecodeString(text)
	n := h.seal.NonceSize()
	if err != nil || len(b) != n+positionLen+h.seal.Overhead() {
		return p, errForeign
	}
	plain, err := h.seal.Open(nil, b[:n], b[n:], nil)
	if err != nil || plain[0] != positionVersion {
		return p, errForeign
	}
	p.epoch = binary.BigEndian.Uint32(plain[1:])
	rest := plain[5:]
	for i := range p.at {
		p.at[i].at = binary.BigEndian.Uint64(rest)
		copy(p.at[i].mark[:], rest[8:])
		rest = rest[pointLen:]
	}
	copy(p.keys[:], rest)
	if p.epoch != h.epoch {
		return p, errForeign
	}
	return p, nil
}

// wellFormed reports whether a text may be a position of this or a later
// version: 1 to 256 of A-Z a-z 0-9 . _ and -.
func wellFormed(text string) bool {
	if text == "" || len(text) > MaxPosition {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
