package token

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
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

// base32hex keeps the order of the bytes in the order of the text.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

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
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != idTextLen {
		return id, ErrID
	}
	for k := Standard; k <= Professional; k++ {
		text, ok := strings.CutPrefix(s, prefixes[k])
		if !ok {
			continue
		}
		if hasLineBreak(text) {
			return ID{}, ErrID
		}
		if n, err := idEncoding.Decode(id[1:], []byte(text)); err != nil || n != len(id)-1 {
			return ID{}, ErrID
		}
		id[0] = byte(k)
		return id, nil
	}
	return id, ErrID
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
	k := id.Kind()
	if k < Standard || k > Professional {
		return ""
	}
	return prefixes[k] + idEncoding.EncodeToString(id[1:])
}

// Compare orders ids by their bytes: by kind, then by time.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }
