package token

import (
	"crypto/hmac"
	"crypto/sha256"
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
// Hold it by pointer: printed by fmt, slog or JSON it shows only the epoch.
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
	Tag, MAC [32]byte
	Epoch    uint32
}

// Refresh is a refresh token whose tag is ours. Until Genuine says so too, it
// proves nothing.
type Refresh struct {
	SessionID  ID
	Generation uint32
	tag        [16]byte
	mac        [32]byte
}

// Mint returns the refresh token of a session's generation. It depends on
// nothing else, so that the same token can be given again.
func (k *RefreshKeys) Mint(id ID, generation uint32, seed [32]byte) string {
	r := Refresh{SessionID: id, Generation: generation}
	body := r.body()
	r.tag = k.tag(body)
	r.mac = k.mac(body, r.tag, seed)

	b := make([]byte, 0, refreshSize)
	b = append(b, body[:]...)
	b = append(b, r.tag[:]...)
	b = append(b, r.mac[:]...)
	return refreshPrefix + encode(b)
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
	b, err := decode(text)
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

// Genuine tells whether an opened token was minted for the session with this
// seed. It takes the same time whatever the difference.
func (k *RefreshKeys) Genuine(r Refresh, seed [32]byte) bool {
	want := k.mac(r.body(), r.tag, seed)
	return hmac.Equal(want[:], r.mac[:])
}

func (k *RefreshKeys) tag(body [refreshBody]byte) [16]byte {
	h := hmac.New(sha256.New, k.Tag[:])
	io.WriteString(h, domainTag)
	h.Write(k.epoch())
	h.Write(body[:])
	return [16]byte(h.Sum(nil))
}

func (k *RefreshKeys) mac(body [refreshBody]byte, tag [16]byte, seed [32]byte) [32]byte {
	h := hmac.New(sha256.New, k.MAC[:])
	io.WriteString(h, domainSeed)
	h.Write(seed[:])

	h = hmac.New(sha256.New, h.Sum(nil))
	io.WriteString(h, domainMAC)
	h.Write(k.epoch())
	h.Write(body[:])
	h.Write(tag[:])
	return [32]byte(h.Sum(nil))
}

func (k *RefreshKeys) epoch() []byte { return binary.BigEndian.AppendUint32(nil, k.Epoch) }

func (r *Refresh) body() (b [refreshBody]byte) {
	b[0] = refreshVersion
	copy(b[1:], r.SessionID[:])
	binary.BigEndian.PutUint32(b[22:], r.Generation)
	return b
}

// String returns the epoch.
func (k RefreshKeys) String() string { return fmt.Sprintf("token.RefreshKeys(epoch %d)", k.Epoch) }

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
