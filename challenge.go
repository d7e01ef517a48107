package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/mentalverse/session/token"
)

// Purpose is what the answer to a challenge will be used for.
type Purpose string

// The purposes of a challenge. An answer made for one is refused for another.
const (
	PurposeSignIn         Purpose = "signin"
	PurposeReauthenticate Purpose = "reauthenticate"
	PurposeEnrol          Purpose = "enrol" // of a commitment into the group of members
)

// ChallengeLife is how long a challenge may be answered.
const ChallengeLife = 5 * time.Minute

// Challenge is a one-time text that a credential must answer. Issuing one
// stores nothing: its nonce carries a MAC over all its other fields.
type Challenge struct {
	Purpose   Purpose
	Type      Type
	Account   Account
	SessionID token.ID // of a reauthentication or an enrolment; zero otherwise
	Nonce     string   // 64 lower-case letters and digits
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// RequestID returns the challenge's public reference, derived from its nonce.
func (c Challenge) RequestID() string {
	sum := sha256.Sum256([]byte("mentalverse:request:" + c.Nonce))
	return hex.EncodeToString(sum[:8])
}

// A nonce is 40 bytes: its issue time in big-endian seconds, 128 random bits
// and a 160-bit MAC; in text exactly 64 characters, none of them slack.
const (
	nonceKeyLen  = 20
	nonceLen     = 40
	nonceTextLen = 64
)

// lowerBase32 spells random bytes in lower-case letters and digits.
var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var (
	errNonceForged  = errors.New("the nonce was not made here for this use")
	errNonceExpired = errors.New("the challenge's time is over")
)

// challengeKey makes and checks nonces. The restore epoch is part of the MAC:
// raising it voids every challenge.
type challengeKey struct {
	key   [32]byte
	epoch uint32
}

func (k challengeKey) mac(c Challenge, head []byte) []byte {
	h := hmac.New(sha256.New, k.key[:])
	var n [4]byte
	field := func(b []byte) {
		binary.BigEndian.PutUint32(n[:], uint32(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	field(head)
	field([]byte(c.Purpose))
	field([]byte(c.Type))
	field([]byte(c.Account.Chain))
	field([]byte(c.Account.Address))
	field(c.SessionID[:])
	binary.BigEndian.PutUint32(n[:], k.epoch)
	h.Write(n[:])
	return h.Sum(nil)[:nonceLen-nonceKeyLen]
}

// issue completes c with a fresh nonce and its times.
func (k challengeKey) issue(c Challenge, now time.Time) Challenge {
	var b [nonceLen]byte
	binary.BigEndian.PutUint32(b[:4], uint32(now.Unix()))
	rand.Read(b[4:nonceKeyLen])
	copy(b[nonceKeyLen:], k.mac(c, b[:nonceKeyLen]))
	c.Nonce = lowerBase32.EncodeToString(b[:])
	c.IssuedAt = now.Truncate(time.Second).UTC()
	c.ExpiresAt = c.IssuedAt.Add(ChallengeLife)
	return c
}

// open completes c from its nonce: the MAC must hold for c's other fields, and
// its time must not be over. The key it returns marks the nonce used.
func (k challengeKey) open(c Challenge, now time.Time) (Challenge, UsedNonce, error) {
	var b [nonceLen]byte
	// The decoder would skip line breaks.
	if len(c.Nonce) != nonceTextLen || strings.ContainsAny(c.Nonce, "\r\n") {
		return c, UsedNonce{}, errNonceForged
	}
	if _, err := lowerBase32.Decode(b[:], []byte(c.Nonce)); err != nil {
		return c, UsedNonce{}, errNonceForged
	}
	if !hmac.Equal(b[nonceKeyLen:], k.mac(c, b[:nonceKeyLen])) {
		return c, UsedNonce{}, errNonceForged
	}
	c.IssuedAt = time.Unix(int64(binary.BigEndian.Uint32(b[:4])), 0).UTC()
	c.ExpiresAt = c.IssuedAt.Add(ChallengeLife)
	if !now.Before(c.ExpiresAt) || now.Before(c.IssuedAt.Add(-time.Minute)) {
		return c, UsedNonce{}, errNonceExpired
	}
	var used UsedNonce
	binary.BigEndian.PutUint32(b[:4], uint32(c.IssuedAt.Truncate(c.Type.grain()).Unix()))
	copy(used.Key[:], b[:nonceKeyLen])
	return c, used, nil
}
