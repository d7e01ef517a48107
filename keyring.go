package session

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/token"
)

// The life of a signing key: published a day ahead, signing for thirty days,
// kept until the last token it signed is dead.
const (
	KeySigningLife   = 30 * 24 * time.Hour
	KeyPublishAhead  = 24 * time.Hour
	keyActivationGap = time.Minute // clocks of nodes may differ this much
)

// MasterKey is the one secret an operator keeps; every other key is derived
// from it with HKDF-SHA-256 (RFC 5869) or wrapped under such a key.
type MasterKey [32]byte

// String hides the key from logs.
func (MasterKey) String() string { return "[master key]" }

// GoString hides the key from logs.
func (MasterKey) GoString() string { return "[master key]" }

func (m MasterKey) derive(purpose string) (key [32]byte) {
	b, err := hkdf.Key(sha256.New, m[:], nil, "mentalverse session: "+purpose, len(key))
	if err != nil {
		panic(err) // only for absurd lengths
	}
	copy(key[:], b)
	return key
}

// Keyring holds the derived keys and the signing keys of one service. Safe for
// concurrent use.
type Keyring struct {
	algorithm token.Algorithm
	issuer    string
	tokenLife time.Duration // the longest any token may live
	refresh   *token.RefreshKeys
	challenge challengeKey
	ticket    ticketKey
	wrap      cipher.AEAD
	check     []byte
	erasure   [32]byte
	adapters  [32]byte
	current   atomic.Pointer[signingKeys]
}

type signingKeys struct {
	sign *token.Key
	set  *token.KeySet
	jwks []byte
	list []KeyInfo
	tags tagKey
}

// tagKey makes the tags by which session tokens are remembered whose signature
// was found good. It is of this process alone, and of one set of keys: when one
// of them is dropped, so is all that was remembered.
type tagKey [32]byte

// tokenTag is a keyed hash of a token's text. It stands in memory only.
type tokenTag [12]byte

func (k *tagKey) of(text string) tokenTag {
	var buffer [1024]byte
	sum := sha256.Sum256(append(append(buffer[:0], k[:]...), text...))
	return tokenTag(sum[:])
}

// KeyInfo describes a signing key without its secret.
type KeyInfo struct {
	ID          string          `json:"kid"`
	Algorithm   token.Algorithm `json:"alg"`
	State       string          `json:"state"` // next, signing, verifying
	ActiveFrom  time.Time       `json:"active_from"`
	VerifyUntil time.Time       `json:"verify_until"`
}

// NewKeyring derives the keys of a master key and restore epoch.
func NewKeyring(master MasterKey, epoch uint32, issuer string, alg token.Algorithm, policies Policies) (*Keyring, error) {
	wrap := master.derive("wrapping of signing keys")
	block, err := aes.NewCipher(wrap[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	checkKey := master.derive("fingerprint")
	mac := hmac.New(sha256.New, checkKey[:])
	k := &Keyring{
		algorithm: alg,
		issuer:    issuer,
		refresh:   token.NewRefreshKeys(master.derive("refresh token tag"), master.derive("refresh token"), epoch),
		challenge: challengeKey{key: master.derive("challenge"), epoch: epoch},
		ticket:    ticketKey{key: master.derive("ticket"), epoch: epoch},
		wrap:      aead,
		check:     mac.Sum(nil)[:16],
		erasure:   master.derive("erasure"),
		adapters:  master.derive("adapters"),
	}
	for _, p := range policies {
		k.tokenLife = max(k.tokenLife, p.TokenLife)
	}
	return k, nil
}

// used returns when a key that may still verify signs, or has signed.
func (k *Keyring) used(id string) (from, until time.Time, ok bool) {
	for _, info := range k.List() {
		if info.ID == id {
			return info.ActiveFrom, info.VerifyUntil.Add(-k.tokenLife - keyActivationGap), true
		}
	}
	return from, until, false
}

// Derive returns a key for a purpose of an adapter's own, such as the proof a
// browser sends beside a cookie. Purposes are names in code, never input.
func (k *Keyring) Derive(purpose string) [32]byte { return MasterKey(k.adapters).derive(purpose) }

// Load reads the store's signing keys, adds the successor whose time it is to
// publish, drops those whose last token is dead, and puts them in force.
func (k *Keyring) Load(ctx context.Context, store Store, now time.Time) error {
	stored, err := store.Keys(ctx)
	if err != nil {
		return err
	}
	if next, due := k.dueKey(stored, now); due {
		w, err := k.newKey(next, now)
		if err != nil {
			return err
		}
		if err := store.AddKey(ctx, w); err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
		if stored, err = store.Keys(ctx); err != nil {
			return err
		}
	}
	dead, err := k.use(stored, now)
	if err != nil || len(dead) == 0 {
		return err
	}
	return store.DropKeys(ctx, dead...)
}

// Read puts the store's signing keys in force and changes nothing in it.
func (k *Keyring) Read(ctx context.Context, store Store, now time.Time) error {
	stored, err := store.Keys(ctx)
	if err != nil {
		return err
	}
	_, err = k.use(stored, now)
	return err
}

// dueKey says whether a key must be made now, and from when it signs.
func (k *Keyring) dueKey(stored []WrappedKey, now time.Time) (activeFrom time.Time, due bool) {
	var last *WrappedKey
	active := false
	for i := range stored {
		if stored[i].Algorithm == k.algorithm {
			last = &stored[i]
			active = active || !last.ActiveFrom.After(now)
		}
	}
	if !active { // a new store, or a clock that was once far ahead
		return now.Truncate(time.Second), true
	}
	next := last.ActiveFrom.Add(KeySigningLife)
	if now.Before(next.Add(-KeyPublishAhead)) {
		return time.Time{}, false
	}
	if next.Before(now) { // the service slept through it
		next = now.Truncate(time.Second)
	}
	return next, true
}

// Rotate publishes a successor that signs from activeFrom on.
func (k *Keyring) Rotate(ctx context.Context, store Store, activeFrom, now time.Time) error {
	w, err := k.newKey(activeFrom.Truncate(time.Second), now)
	if err != nil {
		return err
	}
	if err := store.AddKey(ctx, w); err != nil {
		return err
	}
	return k.Load(ctx, store, now)
}

func (k *Keyring) newKey(activeFrom, now time.Time) (WrappedKey, error) {
	key, err := token.GenerateKey(k.algorithm)
	if err != nil {
		return WrappedKey{}, err
	}
	w := WrappedKey{ID: key.ID(), Algorithm: k.algorithm, CreatedAt: now.Truncate(time.Second), ActiveFrom: activeFrom}
	nonce := make([]byte, k.wrap.NonceSize())
	rand.Read(nonce)
	w.Secret = k.wrap.Seal(nonce, nonce, key.Secret(), wrapContext(w))
	return w, nil
}

// wrapContext binds a wrapped secret to its key's name and algorithm.
func wrapContext(w WrappedKey) []byte { return []byte(string(w.Algorithm) + " " + w.ID) }

func (k *Keyring) unwrap(w WrappedKey) (*token.Key, error) {
	n := k.wrap.NonceSize()
	if len(w.Secret) < n {
		return nil, fmt.Errorf("signing key %s: truncated", w.ID)
	}
	secret, err := k.wrap.Open(nil, w.Secret[:n], w.Secret[n:], wrapContext(w))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: does not open under this master key", w.ID)
	}
	return token.ParseKey(w.ID, w.Algorithm, secret)
}

// use puts the keys in force and returns the ids of those that are dead.
func (k *Keyring) use(stored []WrappedKey, now time.Time) (dead []string, err error) {
	next := &signingKeys{}
	var verify, publish []*token.Key
	signer := -1
	for i, w := range stored {
		until := k.verifyUntil(stored, i)
		if !now.Before(until) {
			dead = append(dead, w.ID)
			continue
		}
		key, err := k.unwrap(w)
		if err != nil {
			return nil, err
		}
		info := KeyInfo{ID: w.ID, Algorithm: w.Algorithm, State: "next", ActiveFrom: w.ActiveFrom, VerifyUntil: until}
		publish = append(publish, key)
		if !now.Add(keyActivationGap).Before(w.ActiveFrom) {
			verify = append(verify, key)
			info.State = "verifying"
		}
		if w.Algorithm == k.algorithm && !now.Before(w.ActiveFrom) {
			next.sign, signer = key, len(next.list)
		}
		next.list = append(next.list, info)
	}
	if signer < 0 {
		return nil, errors.New("session: no signing key is active")
	}
	next.list[signer].State = "signing"
	next.set = token.NewKeySet(k.issuer, verify...)
	next.jwks = token.JWKS(publishable(publish)...)
	if old := k.current.Load(); old != nil && next.holds(old) {
		next.tags = old.tags
	} else {
		rand.Read(next.tags[:])
	}
	k.current.Store(next)
	return dead, nil
}

// publishable is all of the keys, or none while one of them has no public half:
// whoever checks tokens with published keys would refuse its tokens, which live.
// Without any they have to ask.
func publishable(keys []*token.Key) []*token.Key {
	if slices.ContainsFunc(keys, func(k *token.Key) bool { return k.Algorithm() == token.HS256 }) {
		return nil
	}
	return keys
}

// holds reports whether every key of another set is in this one.
func (s *signingKeys) holds(other *signingKeys) bool {
	for _, k := range other.list {
		if !slices.ContainsFunc(s.list, func(own KeyInfo) bool { return own.ID == k.ID }) {
			return false
		}
	}
	return true
}

// verifyUntil is when the last token of the i-th key is dead: the longest
// token life after its successor of the same algorithm began to sign.
func (k *Keyring) verifyUntil(stored []WrappedKey, i int) time.Time {
	end := stored[i].ActiveFrom.Add(KeySigningLife)
	for _, w := range stored[i+1:] {
		if w.Algorithm == stored[i].Algorithm {
			end = w.ActiveFrom
			break
		}
	}
	return end.Add(k.tokenLife + keyActivationGap)
}

// JWKS returns the published keys (RFC 7517).
func (k *Keyring) JWKS() []byte { return k.current.Load().jwks }

// List describes the keys in force.
func (k *Keyring) List() []KeyInfo { return k.current.Load().list }

// errWrongKey tells an operator that the store belongs to another master key.
var errWrongKey = errors.New("session: the store was made with another master key")

func (k *Keyring) matches(m Meta) error {
	if m.KeyCheck != nil && !k.Made(m) {
		return errWrongKey
	}
	return nil
}

// Check is a fingerprint of the master key.
func (k *Keyring) Check() []byte { return bytes.Clone(k.check) }

// Made reports whether a store was made with this master key. One that no
// service has opened yet was made with none.
func (k *Keyring) Made(m Meta) bool { return bytes.Equal(m.KeyCheck, k.check) }
