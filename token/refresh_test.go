package token_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mentalverse/session/token"
)

func refreshKeys() *token.RefreshKeys {
	return token.NewRefreshKeys(seed(0x10), seed(0x40), 3)
}

// genuine is the whole way of a refresh token: its tag, then its MAC.
func genuine(k *token.RefreshKeys, raw string, seed [32]byte) bool {
	r, err := k.Open(raw)
	return err == nil && k.Session(seed).Genuine(r)
}

func TestRefreshTokenGolden(t *testing.T) {
	raw := refreshKeys().Session(seed(9)).Mint(sessionID(t), 7)
	if !regexp.MustCompile(`^rt_[A-Za-z0-9_-]{99}$`).MatchString(raw) {
		t.Error(raw)
	}
	const want = "rt_AQFppCvAoKGio6SlpqeoqaqrrK2urwAAAAczoywjQ5Bn-o8ZsUCSpvWW8iHHO_yXutfXmrDPHZ0M2e7AKr8QkLQ7UfEGAVOWnl0"
	if raw != want {
		t.Errorf("every token out there is void:\n got %s\nwant %s", raw, want)
	}
	if !strings.HasPrefix(raw[3:], base64.RawURLEncoding.EncodeToString(append([]byte{1}, idBytes(t)...))[:29]) {
		t.Error("the version and the id are not in front")
	}
}

func idBytes(t *testing.T) []byte {
	id := sessionID(t)
	return id[:]
}

func TestRefreshTokenRoundTrip(t *testing.T) {
	k := refreshKeys()
	for _, kind := range []token.Kind{token.Standard, token.Anonymous, token.Professional} {
		for _, generation := range []uint32{0, 1, 7, 1<<32 - 1} {
			id := token.NewID(kind, noon)
			raw := k.Session(seed(9)).Mint(id, generation)
			if again := refreshKeys().Session(seed(9)).Mint(id, generation); again != raw {
				t.Error("the same successor is another text")
			}
			r, err := k.Open(raw)
			if err != nil || r.SessionID != id || r.Generation != generation || !k.Session(seed(9)).Genuine(r) {
				t.Errorf("%v, %v", r, err)
			}
		}
	}
}

// Each part of what a thief may have, without the rest.
func TestRefreshTokenNeedsAllItsSecrets(t *testing.T) {
	k := refreshKeys()
	id, tag, mac, none := sessionID(t), seed(0x10), seed(0x40), [32]byte{}
	for _, test := range []struct {
		name     string
		tag, mac [32]byte
		epoch    uint32
		seed     [32]byte
		opens    bool // past the tag, to be refused by the MAC
	}{
		{"nothing at all", none, none, 0, none, false},
		{"the stolen store's seed", none, none, 3, seed(9), false},
		{"the seed and the tag key", tag, none, 3, seed(9), true},
		{"the seed and the MAC key", none, mac, 3, seed(9), false},
		{"the keys swapped", mac, tag, 3, seed(9), false},
		{"the stolen keys, no seed", tag, mac, 3, none, true},
		{"the stolen keys, another session's seed", tag, mac, 3, seed(10), true},
		{"all, of the epoch before the restore", tag, mac, 2, seed(9), false},
		{"all, of an epoch to come", tag, mac, 4, seed(9), false},
	} {
		raw := token.NewRefreshKeys(test.tag, test.mac, test.epoch).Session(test.seed).Mint(id, 7)
		if _, err := k.Open(raw); (err == nil) != test.opens || err != nil && !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: %v", test.name, err)
		}
		if genuine(k, raw, seed(9)) {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

// The front of one token on the tail of another is neither.
func TestRefreshTokenGrafts(t *testing.T) {
	k := refreshKeys()
	id := sessionID(t)
	raw := func(k *token.RefreshKeys, id token.ID, generation uint32, seed [32]byte) []byte {
		b, err := base64.RawURLEncoding.DecodeString(k.Session(seed).Mint(id, generation)[3:])
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := raw(k, id, 7, seed(9))
	older := token.NewRefreshKeys(seed(0x10), seed(0x40), 2)
	for name, donor := range map[string][]byte{
		"another generation": raw(k, id, 6, seed(9)),
		"another session":    raw(k, token.NewID(token.Standard, noon), 7, seed(9)),
		"another seed":       raw(k, id, 7, seed(10)),
		"another epoch":      raw(older, id, 7, seed(9)),
	} {
		for cut := range good {
			graft := string(good[:cut]) + string(donor[cut:])
			if graft == string(good) || graft == string(donor) {
				continue
			}
			if genuine(k, "rt_"+b64(graft), seed(9)) {
				t.Errorf("%s from byte %d on is accepted", name, cut)
			}
		}
	}
}

// A Refresh that did not come out of Open proves nothing.
func TestRefreshMadeByHand(t *testing.T) {
	if refreshKeys().Session(seed(9)).Genuine(token.Refresh{SessionID: sessionID(t), Generation: 7}) {
		t.Error("accepted")
	}
}

func TestRefreshTokenShape(t *testing.T) {
	k := refreshKeys()
	raw := k.Session(seed(9)).Mint(sessionID(t), 7)
	bad := map[string]string{
		"empty": "", "prefix": "rt_", "no prefix": raw[3:], "upper prefix": "RT_" + raw[3:], "other prefix": "st_" + raw[3:],
		"twice": raw + raw, "longer": raw + "A", "padded": raw + "=", "space": raw + " ", "line break": raw + "\n", "leading": " " + raw,
		"line break inside":   raw[:50] + "\n" + raw[51:],
		"line break appended": raw[:101] + "\n", "CRLF at the end": raw[:100] + "\r\n",
		"CR in front":     "rt_\r" + raw[4:],
		"padding at end":  raw[:101] + "=",
		"standard base64": raw[:50] + "+" + raw[51:],
		"NUL":             raw[:50] + "\x00" + raw[51:],
		"beyond ASCII":    raw[:50] + "é" + raw[52:],
	}
	for _, alias := range lastCharAliases(raw[3:]) {
		bad["alias "+alias[98:]] = "rt_" + alias
	}
	if len(bad) < 22 {
		t.Errorf("%d cases: no aliases were made", len(bad))
	}
	for i := range raw {
		bad["cut at the end "+raw[:i]] = raw[:i]
		bad["cut in front "+raw[i+1:]] = raw[i+1:]
	}
	for name, raw := range bad {
		if r, err := k.Open(raw); !errors.Is(err, token.ErrInvalid) || r != (token.Refresh{}) {
			t.Errorf("%s: %v, %v", name, r, err)
		} else if len(raw) > 20 && strings.Contains(err.Error(), raw[len(raw)-20:]) {
			t.Errorf("%s: the error shows the token", name)
		}
	}
}

func TestEveryBitFlipOfARefreshTokenIsRefused(t *testing.T) {
	k := refreshKeys()
	raw := []byte(k.Session(seed(9)).Mint(sessionID(t), 7))
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			if genuine(k, string(raw), seed(9)) {
				t.Errorf("bit %d of byte %d", bit, i)
			}
			raw[i] ^= 1 << bit
		}
	}
	// The tag alone, before any store is asked, covers all but the MAC.
	b, err := base64.RawURLEncoding.DecodeString(string(raw[3:]))
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			r, err := k.Open("rt_" + b64(string(b)))
			if i < 42 && err == nil || i >= 42 && (err != nil || k.Session(seed(9)).Genuine(r)) {
				t.Errorf("bit %d of decoded byte %d: %v", bit, i, err)
			}
			b[i] ^= 1 << bit
		}
	}
}

func TestRandomTextsCostNoQuery(t *testing.T) {
	k := refreshKeys()
	b := make([]byte, 74)
	for range 20_000 {
		rand.Read(b)
		b[0], b[1] = 1, 1
		if _, err := k.Open("rt_" + b64(string(b))); err == nil {
			t.Fatal("a random text has our tag")
		}
	}
}

// States that have taken a key up are used again: by whom and after what makes
// no difference.
func TestRefreshKeysServeManyAtOnce(t *testing.T) {
	k := refreshKeys()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id, own := token.NewID(token.Standard, noon), seed(byte(i))
			for generation := range uint32(50) {
				fresh := refreshKeys().Session(own).Mint(id, generation)
				key := k.Session(own)
				r, err := k.Open(key.Mint(id, generation))
				if err != nil || !key.Genuine(r) || !key.Genuine(r) || key.Mint(id, generation) != fresh || key.Mint(id, generation+1) == fresh {
					t.Errorf("generation %d: %v, %v", generation, r, err)
				}
			}
		})
	}
	wg.Wait()
}
