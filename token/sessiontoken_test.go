package token_test

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

// The shape of a token is a contract with every service that reads one, so it
// is written out here and not computed.
func TestSessionTokenGolden(t *testing.T) {
	k := ours(t, token.EdDSA)
	raw := sign(t, k, claims(t))
	parts := strings.Split(raw, ".")
	wantHeader := `{"alg":"EdDSA","typ":"session+jwt","kid":"key-1"}`
	wantPayload := `{"iss":"https://sessions.example","sub":"user_01",` +
		`"sid":"sess_d6i2ng50k6ha7955kqjqhadalemarblf","gen":7,` +
		`"iat":1772366400,"exp":1772409600,"auth_time":1772366340,` +
		`"scope":"read:profile write:messages","typ":"standard"}`
	for i, want := range []string{wantHeader, wantPayload} {
		got, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err != nil || string(got) != want {
			t.Errorf("segment %d:\n got %s\nwant %s", i, got, want)
		}
	}
	if raw != forge(t, k, wantHeader, wantPayload) {
		t.Error("the signature is not over the encoded segments")
	}
	if again := sign(t, k, claims(t)); again != raw {
		t.Error("EdDSA made another token of the same claims")
	}
}

func TestSessionTokenRoundTrip(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		for name, change := range map[string]func(*token.Claims){
			"plain":             func(*token.Claims) {},
			"no scope":          func(c *token.Claims) { c.Scope = nil },
			"first generation":  func(c *token.Claims) { c.Generation = 0 },
			"last generation":   func(c *token.Claims) { c.Generation = 1<<32 - 1 },
			"anonymous":         func(c *token.Claims) { c.SessionID = token.NewID(token.Anonymous, noon); c.Type = "anonymous" },
			"signed in at 1970": func(c *token.Claims) { c.AuthTime = time.Unix(0, 0).UTC() },
			"ends in 9999":      func(c *token.Claims) { c.ExpiresAt = time.Unix(253402300799, 0).UTC() },
		} {
			want := claims(t)
			change(&want)
			got, err := set.Verify(sign(t, k, want), noon)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s %s:\n got %+v, %v\nwant %+v", alg, name, got, err, want)
			}
		}
	}
}

func TestFractionsOfSecondsAreCutOff(t *testing.T) {
	k := ours(t, token.EdDSA)
	c := claims(t)
	whole := sign(t, k, c)
	for _, at := range []*time.Time{&c.IssuedAt, &c.ExpiresAt, &c.AuthTime} {
		*at = at.Add(999 * time.Millisecond).In(time.FixedZone("", 3600))
	}
	if sign(t, k, c) != whole {
		t.Error("a fraction or a time zone changed the token")
	}
}

func TestLifeOfASessionToken(t *testing.T) {
	end := claims(t).ExpiresAt
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		raw := sign(t, k, claims(t))
		for _, test := range []struct {
			name string
			at   time.Time
			want error
		}{
			{"issuer's clock 61 s ahead", noon.Add(-61 * time.Second), token.ErrEarly},
			{"issuer's clock 60 s ahead", noon.Add(-60 * time.Second), nil},
			{"at once", noon, nil},
			{"the last moment", end.Add(-1), nil},
			{"the end", end, token.ErrExpired},
			{"long after", end.AddDate(10, 0, 0), token.ErrExpired},
		} {
			c, err := set.Verify(raw, test.at)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%s %s: %v", alg, test.name, err)
			}
			if test.want == token.ErrEarly && !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%s: early is not invalid to those who know no better", alg)
			}
			if !reflect.DeepEqual(c, claims(t)) {
				t.Errorf("%s %s: claims %+v", alg, test.name, c)
			}
		}
	}
}

// Expired is said only to the holder of a token that was genuine.
func TestExpiredIsSaidOfGenuineTokensOnly(t *testing.T) {
	late := noon.AddDate(1, 0, 0)
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		raw := sign(t, k, claims(t))
		foreign := claims(t)
		foreign.Issuer = "https://staging.example"
		for name, bad := range map[string]string{
			"other issuer":   sign(t, k, foreign),
			"other key":      sign(t, parseKey(t, "key-1", alg, secret(2)), claims(t)),
			"no signature":   raw[:strings.LastIndexByte(raw, '.')+1],
			"bad payload":    forge(t, k, header(k), `{"exp":1}`),
			"bad signature":  raw[:len(raw)-4] + "AAAA",
			"issued after":   forge(t, k, header(k), strings.Replace(payload(t), `"iat":1772366400`, `"iat":1772409600`, 1)),
			"another header": forge(t, k, `{"alg":"none"}`, payload(t)),
		} {
			if _, err := set.Verify(bad, late); !errors.Is(err, token.ErrInvalid) || errors.Is(err, token.ErrExpired) {
				t.Errorf("%s %s: %v", alg, name, err)
			}
		}
	}
}

func TestSignRefusesClaimsThatWouldNotVerify(t *testing.T) {
	for name, change := range map[string]func(*token.Claims){
		"no issuer":          func(c *token.Claims) { c.Issuer = "" },
		"no subject":         func(c *token.Claims) { c.Subject = "" },
		"no type":            func(c *token.Claims) { c.Type = "" },
		"no session":         func(c *token.Claims) { c.SessionID = token.ID{} },
		"quote":              func(c *token.Claims) { c.Subject = `a","typ":"professional` },
		"backslash":          func(c *token.Claims) { c.Subject = `a\u0022` },
		"line break":         func(c *token.Claims) { c.Issuer += "\n" },
		"space":              func(c *token.Claims) { c.Type = "stand ard" },
		"delete":             func(c *token.Claims) { c.Type = "\x7f" },
		"not ASCII":          func(c *token.Claims) { c.Subject = "usér" },
		"empty permission":   func(c *token.Claims) { c.Scope = []string{""} },
		"two in one":         func(c *token.Claims) { c.Scope = []string{"read:profile manage:sessions"} },
		"ends as it begins":  func(c *token.Claims) { c.ExpiresAt = c.IssuedAt },
		"ends in a fraction": func(c *token.Claims) { c.ExpiresAt = c.IssuedAt.Add(time.Second - 1) },
		"no times":           func(c *token.Claims) { c.IssuedAt, c.ExpiresAt = time.Time{}, time.Time{} },
		"no auth time":       func(c *token.Claims) { c.AuthTime = time.Time{} },
		"year 10000":         func(c *token.Claims) { c.ExpiresAt = time.Unix(253402300800, 0) },
		"too long":           func(c *token.Claims) { c.Subject = strings.Repeat("a", 4096) },
	} {
		c := claims(t)
		change(&c)
		if raw, err := ours(t, token.EdDSA).Sign(c); err != token.ErrClaims || raw != "" {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
}

// The longest token that Sign makes is one that Verify takes.
func TestLongestToken(t *testing.T) {
	k := ours(t, token.HS256)
	c := claims(t)
	longest := 0
	for n := 2000; n < 3200; n++ {
		c.Subject = strings.Repeat("a", n)
		raw, err := k.Sign(c)
		if err != nil {
			break
		}
		longest = max(longest, len(raw))
		if _, err := token.NewKeySet(issuer, k).Verify(raw, noon); err != nil {
			t.Fatalf("%d bytes: %v", len(raw), err)
		}
	}
	if longest < 4094 || longest > 4096 {
		t.Errorf("longest token has %d bytes", longest)
	}
}

func TestKeySetIsSafeForConcurrentUse(t *testing.T) {
	var keys []*token.Key
	for _, alg := range algorithms {
		k, err := token.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	set := token.NewKeySet(issuer, keys...)
	c := claims(t)
	var group sync.WaitGroup
	for _, k := range keys {
		for range 4 {
			group.Go(func() {
				for range 20 {
					raw, err := k.Sign(c)
					if err != nil {
						t.Error(err)
					}
					if _, err := set.Verify(raw, noon); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
}

// Tokens are put together in memory that is used again: each is its own.
func TestManySignAtOnce(t *testing.T) {
	k := ours(t, token.HS256)
	set := token.NewKeySet(issuer, k)
	var wg sync.WaitGroup
	for i := range uint32(8) {
		wg.Go(func() {
			c := claims(t)
			var raws []string
			for n := range uint32(50) {
				c.Generation = 100*i + n
				raw, err := k.Sign(c)
				if err != nil {
					t.Error(err)
				}
				raws = append(raws, raw)
			}
			for n, raw := range raws {
				if got, err := set.Verify(raw, noon); err != nil || got.Generation != 100*i+uint32(n) {
					t.Errorf("generation %d instead of %d: %v", got.Generation, 100*i+uint32(n), err)
				}
			}
		})
	}
	wg.Wait()
}
