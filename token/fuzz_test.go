package token_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

func FuzzParseID(f *testing.F) {
	for kind := range kinds {
		f.Add(token.FirstID(kind, noon).String())
	}
	f.Add("sess_\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := token.ParseID(s)
		if err != nil {
			return
		}
		if again, err := token.IDFromBytes(id[:]); id.String() != s || err != nil || again != id {
			t.Errorf("%q is read as %s", s, id)
		}
	})
}

// Whatever passes is, byte for byte, what Sign makes of what was read.
func FuzzVerify(f *testing.F) {
	keys := map[string]*token.Key{}
	var all []*token.Key
	for _, alg := range algorithms {
		k := parseKey(f, string(alg), alg, secret(1))
		all = append(all, k)
		raw := sign(f, k, claims(f))
		keys[raw[:strings.IndexByte(raw, '.')]] = k
		f.Add(raw)
		f.Add(raw + ".")
		f.Add(forge(f, k, `{"alg":"none"}`, payload(f)))
	}
	set := token.NewKeySet(issuer, all...)
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := set.Verify(raw, noon)
		if err != nil {
			if !errors.Is(err, token.ErrInvalid) && !errors.Is(err, token.ErrExpired) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		k := keys[raw[:strings.IndexByte(raw, '.')]]
		again := sign(t, k, c)
		if k.Algorithm() == token.ES256 {
			raw, again = raw[:strings.LastIndexByte(raw, '.')], again[:strings.LastIndexByte(again, '.')]
		}
		if again != raw {
			t.Errorf("%q is a second spelling of %q", raw, again)
		}
	})
}

// The same of payloads, past the signature: what passes has one spelling, and a
// general JSON parser reads it alike.
func FuzzPayload(f *testing.F) {
	k := parseKey(f, "key-1", token.HS256, secret(1))
	set := token.NewKeySet(issuer, k)
	good := payload(f)
	f.Add(good)
	f.Add(strings.Replace(good, "read:profile write:messages", "", 1))
	f.Add(strings.Replace(good, `"gen":7`, `"gen":0`, 1))
	f.Add(good[:len(good)-1] + `,"sub":"b"}`)
	f.Fuzz(func(t *testing.T, payload string) {
		raw := forge(t, k, header(k), payload)
		c, err := set.Verify(raw, noon)
		if err != nil && !errors.Is(err, token.ErrExpired) {
			return
		}
		if again := sign(t, k, c); again != raw {
			t.Errorf("%q is a second spelling", payload)
		}
		var j struct {
			Iss, Sub, Sid, Scope, Typ string
			Gen                       uint32
			Iat, Exp                  int64
			AuthTime                  int64 `json:"auth_time"`
		}
		d := json.NewDecoder(strings.NewReader(payload))
		d.DisallowUnknownFields()
		if err := d.Decode(&j); err != nil {
			t.Fatalf("%q: %v", payload, err)
		}
		if j.Iss != c.Issuer || j.Sub != c.Subject || j.Sid != c.SessionID.String() || j.Scope != strings.Join(c.Scope, " ") || j.Typ != c.Type ||
			j.Gen != c.Generation || j.Iat != c.IssuedAt.Unix() || j.Exp != c.ExpiresAt.Unix() || j.AuthTime != c.AuthTime.Unix() {
			t.Errorf("%q is read as %+v", payload, c)
		}
	})
}

func FuzzRefreshOpen(f *testing.F) {
	k := refreshKeys()
	f.Add(k.Session(seed(9)).Mint(sessionID(f), 7))
	f.Add(k.Session(seed(10)).Mint(sessionID(f), 7))
	f.Add("rt_" + strings.Repeat("A", 99))
	f.Add("rt_" + strings.Repeat("\n", 99))
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := k.Open(raw)
		if err != nil {
			if !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		minted := k.Session(seed(9)).Mint(r.SessionID, r.Generation)
		if raw[:59] != minted[:59] { // 42 bytes: everything before the MAC
			t.Errorf("%q has a tag that %q has not", raw, minted)
		}
		if k.Session(seed(9)).Genuine(r) != (raw == minted) {
			t.Errorf("%q is a second spelling of %q", raw, minted)
		}
	})
}
