package token

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"
)

// Kind is the kind of session an id names; it is the id's first byte.
type Kind byte

// The kinds of session id.
const (
	Standard     Kind = 1
	Anonymous    Kind = 2
	Professional Kind = 3
)

var prefixes = [...]string{Standard: "sess_", Anonymous: "anon_", Professional: "prof_"}

// AnonymousBucket is the width of the time an anonymous id tells.
const AnonymousBucket = 5 * time.Minute

// ID names a session. It is public: it opens nothing. Its bytes are the kind,
// the creation time in big-endian seconds (for an anonymous session only its
// five-minute bucket) and 128 random bits, so that ids of a kind sort by time
// and a store needs no other index.
type ID [21]byte

// ErrID tells of a text that is not a session id in its one canonical form.
var ErrID = errors.New("token: not a session id")

// base32hex in lower case (RFC 4648 section 7) keeps the order of the bytes in
// the order of the text. Twenty bytes are 32 letters without a bit to spare, so
// a text is canonical if its letters are ours.
const idLetters = "0123456789abcdefghijklmnopqrstuv"

// idValues are the values of letters, 0xff for all else.
var idValues = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(idLetters) {
		t[idLetters[i]] = byte(i)
	}
	return t
}()

const idTextLen = 5 + 32

// NewID returns a fresh id of the kind, made at the time.
func NewID(k Kind, at time.Time) ID {
	id := FirstID(k, at)
	rand.Read(id[5:])
	return id
}

// FirstID returns the lowest id of the kind and time: the bound of a range.
func FirstID(k Kind, at time.Time) ID {
	if k == Anonymous {
		at = at.Truncate(AnonymousBucket)
	}
	var id ID
	id[0] = byte(k)
	binary.BigEndian.PutUint32(id[1:5], uint32(at.Unix()))
	return id
}

// ParseID reads an id's text; ErrID for anything but the canonical form.
func ParseID(s string) (ID, error) { return parseID([]byte(s)) }

func parseID(s []byte) (id ID, err error) {
	if len(s) != idTextLen {
		return ID{}, ErrID
	}
	for k := Standard; k <= Professional; k++ {
		if string(s[:5]) == prefixes[k] {
			id[0] = byte(k)
		}
	}
	wrong := byte(0)
	for from, to := s[5:], id[1:]; len(from) > 0; from, to = from[8:], to[5:] {
		var bits uint64
		for _, letter := range from[:8] {
			v := idValues[letter]
			wrong |= v
			bits = bits<<5 | uint64(v&31)
		}
		to[0] = byte(bits >> 32)
		binary.BigEndian.PutUint32(to[1:], uint32(bits))
	}
	if id[0] == 0 || wrong > 31 {
		return ID{}, ErrID
	}
	return id, nil
}

// IDFromBytes reads an id from its 21 bytes.
func IDFromBytes(b []byte) (ID, error) {
	var id ID
	if len(b) != len(id) || Kind(b[0]) < Standard || Kind(b[0]) > Professional {
		return id, ErrID
	}
	copy(id[:], b)
	return id, nil
}

// Kind returns the kind of session the id names.
func (id ID) Kind() Kind { return Kind(id[0]) }

// Time returns when the id was made, in whole seconds (or the bucket's start).
func (id ID) Time() time.Time {
	return time.Unix(int64(binary.BigEndian.Uint32(id[1:5])), 0).UTC()
}

// String returns the id's text: a prefix by kind and 32 characters.
func (id ID) String() string {
	var b [idTextLen]byte
	return string(id.Append(b[:0]))
}

// Append appends the id's text.
func (id ID) Append(b []byte) []byte {
	k := id.Kind()
	if k < Standard || k > Professional {
		return b
	}
	b = append(b, prefixes[k]...)
	for from := id[1:]; len(from) > 0; from = from[5:] {
		bits := uint64(from[0])<<32 | uint64(binary.BigEndian.Uint32(from[1:]))
		for shift := 35; shift >= 0; shift -= 5 {
			b = append(b, idLetters[bits>>shift&31])
		}
	}
	return b
}

// Compare orders ids by their bytes: by kind, then by time.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }
