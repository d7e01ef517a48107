package anonymous

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/api"
)

// Coarse is how finely anything anonymous is dated. A finer time would tell
// when somebody joined.
const Coarse = 5 * time.Minute

// Snapshot is a frozen state of the group that proofs are made against, and a
// link of the chain of all snapshots.
type Snapshot struct {
	Number    uint64 // 0 for the first
	Root      fr.Element
	Size      int // places, those that were left included
	Epoch     uint64
	CreatedAt time.Time
	Previous  [32]byte // the hash of the snapshot before; zero for the first
}

// SignedSnapshot is a snapshot as clients get it.
type SignedSnapshot struct {
	Snapshot
	Signature [ed25519.SignatureSize]byte
}

// Why a snapshot is refused.
var (
	ErrSnapshot  = errors.New("anonymous: not a snapshot")
	ErrSignature = errors.New("anonymous: the snapshot's signature does not verify")
)

// Next returns the snapshot of a group to follow s, or the first if s is nil.
func (s *Snapshot) Next(service ServiceID, t *Tree, e Epochs, now time.Time) Snapshot {
	next := Snapshot{Root: t.Root(), Size: t.Size(), Epoch: e.Epoch(now), CreatedAt: now.UTC().Truncate(Coarse)}
	if s != nil {
		next.Number, next.Previous = s.Number+1, s.Hash(service)
		next.CreatedAt = maxTime(next.CreatedAt, s.CreatedAt) // a clock was set back
		next.Epoch = max(next.Epoch, s.Epoch)
	}
	return next
}

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// check tells whether s can be a snapshot at all.
func (s *Snapshot) check() error {
	unix := s.CreatedAt.Unix()
	switch {
	case s.Root.IsZero(), s.Size < 1, s.Size > MaxMembers, s.Epoch > lastEpoch,
		unix < 0, unix%int64(Coarse/time.Second) != 0, s.CreatedAt.Nanosecond() != 0,
		(s.Number == 0) != (s.Previous == [32]byte{}):
		return ErrSnapshot
	}
	return nil
}

// encode is what is signed and hashed: "mentalverse:snapshot:", the service id
// behind its length in two bytes, the number in eight, the root in 32, the size
// in four, the epoch in eight, the time in eight as seconds since 1970, and the
// hash before; all big-endian. Nothing in it has a second spelling.
func (s *Snapshot) encode(service ServiceID) []byte {
	b := binary.BigEndian.AppendUint64(service.value("mentalverse:snapshot:"), s.Number)
	root := s.Root.Bytes()
	b = append(b, root[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(s.Size))
	b = binary.BigEndian.AppendUint64(b, s.Epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(s.CreatedAt.Unix()))
	return append(b, s.Previous[:]...)
}

// Hash names the snapshot and, through Previous, all before it.
func (s *Snapshot) Hash(service ServiceID) [32]byte { return sha256.Sum256(s.encode(service)) }

// Sign signs a snapshot, if it can be one.
func (s Snapshot) Sign(service ServiceID, key ed25519.PrivateKey) (signed SignedSnapshot, err error) {
	if err := errors.Join(s.check(), checkName(string(service))); err != nil {
		return signed, err
	}
	signed.Snapshot = s
	copy(signed.Signature[:], ed25519.Sign(key, s.encode(service)))
	return signed, nil
}

// Verify checks a snapshot's signature, and that it is a snapshot.
func (s *SignedSnapshot) Verify(service ServiceID, key ed25519.PublicKey) error {
	if err := s.check(); err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, s.encode(service), s.Signature[:]) {
		return ErrSignature
	}
	return nil
}

// wireSnapshot is a signed snapshot's JSON.
type wireSnapshot struct {
	Number    uint64 `json:"number"`
	Root      string `json:"root"`
	Size      int    `json:"size"`
	Epoch     uint64 `json:"epoch"`
	CreatedAt string `json:"created_at"`
	Previous  string `json:"previous"`
	Signature string `json:"signature"`
}

// MarshalJSON implements json.Marshaler: the root in decimal, the time as in
// RFC 3339, hash and signature in unpadded base64url.
func (s SignedSnapshot) MarshalJSON() ([]byte, error) {
	enc := base64.RawURLEncoding.EncodeToString
	return json.Marshal(wireSnapshot{
		s.Number, FormatScalar(s.Root), s.Size, s.Epoch, s.CreatedAt.UTC().Format(time.RFC3339), enc(s.Previous[:]), enc(s.Signature[:]),
	})
}

// UnmarshalJSON implements json.Unmarshaler: strictly, so that what is read is
// written again as it was. No signature is checked.
func (s *SignedSnapshot) UnmarshalJSON(b []byte) error {
	var w wireSnapshot
	err := api.Unmarshal(b, &w)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	*s = SignedSnapshot{Snapshot: Snapshot{Number: w.Number, Size: w.Size, Epoch: w.Epoch}}
	if s.Root, err = ParseScalar(w.Root); err != nil {
		return fmt.Errorf("%w: root: %w", ErrSnapshot, err)
	}
	s.CreatedAt, err = time.Parse(time.RFC3339, w.CreatedAt)
	if err != nil || s.CreatedAt.UTC().Format(time.RFC3339) != w.CreatedAt {
		return fmt.Errorf("%w: created_at", ErrSnapshot)
	}
	if !decodeExactly(s.Previous[:], w.Previous) || !decodeExactly(s.Signature[:], w.Signature) {
		return fmt.Errorf("%w: previous or signature", ErrSnapshot)
	}
	return s.check()
}

// decodeExactly fills into from unpadded base64url in its one spelling.
func decodeExactly(into []byte, s string) bool {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(into)) || strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().Decode(into, []byte(s))
	return err == nil
}
