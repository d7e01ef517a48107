package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// The verdicts on a token. ErrExpired is said only of a session token that is
// genuine in every way except that its time is over; all else is ErrInvalid.
// Errors may wrap a detail for the log, never any part of the token.
var (
	ErrInvalid = errors.New("token: invalid")
	ErrExpired = errors.New("token: expired")

	// ErrEarly is the ErrInvalid of a session token that is genuine in every way
	// except that it was issued in the future: by a clock that has been set back
	// since. Who knows no better refuses it like any other.
	ErrEarly = fmt.Errorf("%w: issued in the future", ErrInvalid)

	// ErrUnknownKey is the ErrInvalid of a text whose header none of the keys
	// writes, and ErrIssuer of a session token of another issuer that one of the
	// keys has signed. Who checks with published keys may have to look for newer
	// ones, or may not know the issuer's name yet.
	ErrUnknownKey = fmt.Errorf("%w: no key has this header", ErrInvalid)
	ErrIssuer     = fmt.Errorf("%w: other issuer", ErrInvalid)
)

var (
	errShape     = fmt.Errorf("%w: not the shape of a session token", ErrInvalid)
	errSignature = fmt.Errorf("%w: signature", ErrInvalid)
	errPayload   = fmt.Errorf("%w: payload", ErrInvalid)
)

// maxToken is the length of the longest session token, in bytes. A cookie of
// 4096 bytes holds it (RFC 6265 section 6.1).
const maxToken = 4096

// clockSkew is how far ahead of ours the clock of the node may be that issued a
// token.
const clockSkew = 60 * time.Second

// Sign returns the session token for the claims: a JWT (RFC 7519) in JWS compact
// serialisation with the header {"alg":…,"typ":"session+jwt","kid":…}. It is
// [ErrClaims] if a token cannot carry them: issuer, subject, type and each
// scope are visible ASCII without quote and backslash, times lie between 1970
// and 9999 with the end after the beginning, the session id is one, and the
// token has at most 4096 bytes. It is [ErrKey] if the key is a public one.
func (k *Key) Sign(c Claims) (string, error) {
	if !c.valid() {
		return "", ErrClaims
	}
	room := signRoom.Get().(*[]byte)
	defer signRoom.Put(room)
	input := append((*room)[:0], k.header...)
	input = append(input, '.')
	input = base64.RawURLEncoding.AppendEncode(input, c.appendJSON(make([]byte, 0, 384)))
	signature, err := k.scheme.sign(input)
	if err != nil {
		return "", err
	}
	raw := append(input, '.')
	raw = base64.RawURLEncoding.AppendEncode(raw, signature)
	*room = raw
	if len(raw) > maxToken {
		return "", ErrClaims
	}
	return string(raw), nil
}

// signRoom is where tokens are put together.
var signRoom = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

// KeySet checks the session tokens of one issuer. It never changes and is safe
// for concurrent use.
type KeySet struct {
	issuer string
	keys   []*Key // few, each of its own encoded header
}

// NewKeySet returns a set that accepts the tokens of these keys and this
// issuer. An id stands for one key: of several with the same id only the first
// counts.
func NewKeySet(issuer string, keys ...*Key) *KeySet {
	s := &KeySet{issuer: issuer}
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if !seen[k.id] {
			seen[k.id] = true
			s.keys = append(s.keys, k)
		}
	}
	return s
}

// Verify returns what a session token says if it is genuine and alive.
//
// The key is looked up by the whole encoded header, because each of our keys
// writes exactly one. Every other header finds nothing: another algorithm or
// none, another key id, jku, x5u, jwk, crit, zip, a repeated member, another
// order or another base64 spelling. No header is ever parsed (RFC 8725 sections
// 3.1, 3.9, 3.10 and 3.11).
//
// With [ErrExpired] and [ErrEarly] the claims are filled in; with [ErrInvalid],
// for everything else, they are zero.
func (s *KeySet) Verify(raw string, now time.Time) (Claims, error) {
	c, err := s.Genuine(raw, func(ID) bool { return false })
	if err != nil {
		return Claims{}, err
	}
	return c, c.Check(now)
}

// Genuine is Verify of a token of any time, for who remembers the texts that
// were found genuine. If known says so of this one, given the session that it
// names, then it is not checked again, and of the claims only SessionID,
// Generation, IssuedAt and ExpiresAt are filled in. What known is asked about is
// not yet to be believed.
func (s *KeySet) Genuine(raw string, known func(ID) bool) (Claims, error) {
	if len(raw) > maxToken {
		return Claims{}, errShape
	}
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return Claims{}, errShape
	}
	var k *Key
	for _, own := range s.keys {
		if own.header == header {
			k = own
		}
	}
	if k == nil {
		return Claims{}, ErrUnknownKey
	}
	var buffer [512]byte // of most tokens
	c, ok := readHead(buffer[:0], payload[:min((len(s.issuer)+frontRoom)/3*4, len(payload))])
	if !ok {
		c, ok = readHead(buffer[:0], payload)
	}
	if !ok {
		return Claims{}, errPayload
	}
	if known(c.SessionID) {
		return c, nil
	}
	data, err := appendDecoded(buffer[:0], payload)
	if err != nil {
		return Claims{}, errPayload
	}
	if c, ok = readClaims(data); !ok || !c.valid() {
		return Claims{}, errPayload
	}
	sig, err := decode(signature)
	if err != nil || !k.scheme.verify([]byte(raw[:len(header)+1+len(payload)]), sig) {
		return Claims{}, errSignature
	}
	if c.Issuer != s.issuer {
		return Claims{}, ErrIssuer
	}
	return c, nil
}

// frontRoom is enough for the head of most payloads, without the issuer's name.
const frontRoom = 160

// readHead reads a payload's head, decoding into the buffer no more than it is
// given. It is false if that is not ours or may end within the head.
func readHead(buffer []byte, payload string) (c Claims, ok bool) {
	data, err := appendDecoded(buffer, payload)
	if err != nil {
		return Claims{}, false
	}
	r := reader{payload: data}
	r.head(&c)
	return c, !r.failed && r.at < len(data) // a number at the end may go on
}

// Unverified returns what a text says that has the shape of a session token,
// whoever made it: for services that have another judge of it. It is [ErrInvalid]
// of everything else.
func Unverified(raw string) (Claims, error) {
	_, rest, _ := strings.Cut(raw, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") || len(raw) > maxToken {
		return Claims{}, errShape
	}
	var buffer [512]byte // of most tokens
	data, err := appendDecoded(buffer[:0], payload)
	if err != nil {
		return Claims{}, errPayload
	}
	c, ok := readClaims(data)
	if !ok || !c.valid() {
		return Claims{}, errPayload
	}
	return c, nil
}

// Check holds the times of genuine claims against the clock: nil, [ErrExpired] or
// [ErrEarly].
func (c *Claims) Check(now time.Time) error {
	switch {
	case c.IssuedAt.After(now.Add(clockSkew)):
		return ErrEarly
	case !now.Before(c.ExpiresAt):
		return ErrExpired
	}
	return nil
}
