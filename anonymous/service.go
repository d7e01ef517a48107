package anonymous

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// ServiceID names a service for ever: every value a proof is made for hangs on
// it, so that no proof and no pseudonym of one service is any of another's.
type ServiceID string

// maxName bounds service ids and nonces.
const maxName = 255

// ErrName tells of a service id or a nonce that cannot be one.
var ErrName = errors.New("anonymous: not a name of 1 to 255 printable ASCII characters without spaces")

// NewServiceID returns a service's id.
func NewServiceID(s string) (ServiceID, error) { return ServiceID(s), checkName(s) }

func checkName(s string) error {
	if len(s) == 0 || len(s) > maxName {
		return ErrName
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return ErrName
		}
	}
	return nil
}

// The values' first bytes. No two purposes have the same, and none is the
// beginning of another.
const (
	tagScope   = "mentalverse:anonymous:"
	tagMessage = "mentalverse:session:"
	tagEnrol   = "mentalverse:enrol:"
)

// Scope is what a member's nullifier hangs on in an epoch: SHA-256 of
// "mentalverse:anonymous:", the service id's length in two bytes, the service
// id, and the epoch's number in eight; numbers big-endian. As the integer that
// Semaphore takes it is read big-endian.
func (s ServiceID) Scope(epoch uint64) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64(s.value(tagScope), epoch))
}

// Message is what ties a proof to a challenge: SHA-256 of
// "mentalverse:session:", the service id as in [ServiceID.Scope], and the nonce
// likewise behind its length.
func (s ServiceID) Message(nonce string) [32]byte {
	return sha256.Sum256(appendName(s.value(tagMessage), nonce))
}

// EnrolScope is the scope of a proof of possession, like [ServiceID.Message]
// under "mentalverse:enrol:". It is never an epoch's, so that the nullifier
// shown at enrolment, beside a user's name, comes again nowhere.
func (s ServiceID) EnrolScope(nonce string) [32]byte {
	return sha256.Sum256(appendName(s.value(tagEnrol), nonce))
}

func (s ServiceID) value(tag string) []byte { return appendName([]byte(tag), string(s)) }

func appendName(b []byte, name string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	return append(b, name...)
}
