package token

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	refreshPrefix  = "rt_"
	refreshVersion = 1

	refreshBody = 1 + 21 + 4       // version, session id, generation
	refreshTag  = refreshBody + 16 // where the tag ends
	refreshSize = refreshTag + 32  // and the MAC
	refreshText = 3 + (refreshSize*8+5)/6
)

// What each HMAC is for; no two may ever be mistaken for one another.
const (
	domainTag  = "mentalverse refresh token tag\x00"
	domainSeed = "mentalverse refresh token seed\x00"
	domainMAC  = "mentalverse refresh token mac\x00"
)

var errRefresh = fmt.Errorf("%w: not a refresh token of ours", ErrInvalid)

// RefreshKeys mints and checks refresh tokens. Tag and MAC are derived from the
// master key; Epoch is the restore epoch, and a token of another epoch is none.
// Printed by fmt, slog or JSON it shows only the epoch. Safe for concurrent use.
//
// A refresh token is "rt_" and the unpadded base64url of 74 bytes, 102
// characters in all: a version (1), the session id (21 bytes), the generation
// (4 bytes, big-endian), a tag (16 bytes) and a MAC (32 bytes).
//
//	tag = HMAC-SHA-256(Tag, domain ‖ epoch ‖ version ‖ id ‖ generation)[:16]
//	MAC = HMAC-SHA-256(HMAC-SHA-256(MAC, domain ‖ seed), domain ‖ epoch ‖ version ‖ id ‖ generation ‖ tag)
//
// The tag lets a node drop a forgery before it asks the store. The MAC needs the
// session's seed, which is in the store, as well as the master key, which is
// not: neither a stolen database nor a stolen key alone makes a token.
type RefreshKeys struct {
	tags, macs *macKey
	epoch      uint32
}

// NewRefreshKeys returns the keys of a restore epoch.
func NewRefreshKeys(tag, mac [32]byte, epoch uint32) *RefreshKeys {
	return &RefreshKeys{tags: newMACKey(tag), macs: newMACKey(mac), epoch: epoch}
}

// Refresh is a refresh token whose tag is ours. Until Genuine says so too, it
// proves nothing.
type Refresh struct {
	SessionID  ID
	Generation uint32
	tag        [16]byte
	mac        [32]byte
}

// Open reads a refresh token and checks its tag, which needs no store: a forged
// token costs no query. Anything but the one spelling of a token with a tag of
// ours is [ErrInvalid].
func (k *RefreshKeys) Open(raw string) (Refresh, error) {
	if len(raw) != refreshText {
		return Refresh{}, errRefresh
	}
	text, ok := strings.CutPrefix(raw, refreshPrefix)
	if !ok {
		return Refresh{}, errRefresh
	}
	var room [refreshSize]byte
	b, err := appendDecoded(room[:0], text)
	if err != nil || b[0] != refreshVersion {
		return Refresh{}, errRefresh
	}
	id, err := IDFromBytes(b[1:22])
	if err != nil {
		return Refresh{}, errRefresh
	}
	r := Refresh{
		SessionID:  id,
		Generation: binary.BigEndian.Uint32(b[22:]),
		tag:        [16]byte(b[refreshBody:refreshTag]),
		mac:        [32]byte(b[refreshTag:]),
	}
	if want := k.tag(r.body()); !hmac.Equal(want[:], r.tag[:]) {
		return Refresh{}, errRefresh
	}
	return r, nil
}

// SessionKey mints and checks the refresh tokens of one session. It belongs to
// one goroutine at a time.
type SessionKey struct {
	keys *RefreshKeys
	mac  func(write func([]byte) []byte) [32]byte // see scheme
}

// Session returns the key of the session with this seed.
func (k *RefreshKeys) Session(seed [32]byte) SessionKey {
	key := k.macs.sum(func(b []byte) []byte {
		b = append(b, domainSeed...)
		return append(b, seed[:]...)
	})
	return SessionKey{keys: k, mac: newMACState(key).sum}
}

// Mint returns the refresh token of a session's generation. It depends on
// nothing else, so that the same token can be given again.
func (k SessionKey) Mint(id ID, generation uint32) string {
	r := Refresh{SessionID: id, Generation: generation}
	body := r.body()
	r.tag = k.keys.tag(body)
	mac := k.sum(&r)

	var room [refreshSize]byte
	b := append(room[:0], body[:]...)
	b = append(b, r.tag[:]...)
	b = append(b, mac[:]...)
	var text [refreshText]byte
	return string(base64.RawURLEncoding.AppendEncode(append(text[:0], refreshPrefix...), b))
}

// Genuine tells whether an opened token was minted for the session. It takes the
// same time whatever the difference.
func (k SessionKey) Genuine(r Refresh) bool {
	want := k.sum(&r)
	return hmac.Equal(want[:], r.mac[:])
}

func (k *RefreshKeys) tag(body [refreshBody]byte) [16]byte {
	sum := k.tags.sum(func(b []byte) []byte {
		b = append(b, domainTag...)
		b = binary.BigEndian.AppendUint32(b, k.epoch)
		return append(b, body[:]...)
	})
	return [16]byte(sum[:])
}

// sum is the MAC of a token, of which all else stands.
func (k SessionKey) sum(r *Refresh) [32]byte {
	return k.mac(func(b []byte) []byte {
		body := r.body()
		b = append(b, domainMAC...)
		b = binary.BigEndian.AppendUint32(b, k.keys.epoch)
		b = append(b, body[:]...)
		return append(b, r.tag[:]...)
	})
}

func (r *Refresh) body() (b [refreshBody]byte) {
	b[0] = refreshVersion
	copy(b[1:], r.SessionID[:])
	binary.BigEndian.PutUint32(b[22:], r.Generation)
	return b
}

// String returns the epoch.
func (k RefreshKeys) String() string { return fmt.Sprintf("token.RefreshKeys(epoch %d)", k.epoch) }

// Format prints String for every verb, so that none prints a key.
func (k RefreshKeys) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// LogValue logs String.
func (k RefreshKeys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText returns String, so that no encoder writes a key.
func (k RefreshKeys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String returns the session id and the generation.
func (r Refresh) String() string {
	return fmt.Sprintf("token.Refresh(%s %d)", r.SessionID, r.Generation)
}

// Format prints String for every verb, so that none prints the proof.
func (r Refresh) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// LogValue logs String.
func (r Refresh) LogValue() slog.Value { return slog.StringValue(r.String()) }
