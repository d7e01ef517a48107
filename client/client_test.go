package client_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// One question for a session, whatever is shown of it: the same token again, a
// thousand at once, the tokens of later generations.
func TestASessionIsAskedAboutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, first := w.open("read:profile")
		w.wire.set(only(validatePath, fault{before: 500 * time.Millisecond}))
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { w.want(first, nil) })
		}
		wg.Wait()
		w.want(first, nil, client.Require("read:profile"))
		second := w.refresh(id)
		w.want(second, nil)
		w.want(first, nil)
		third := w.refresh(id)
		w.want(third, nil)
		w.want(second, nil)
		w.want(first, client.ErrExpired)
		if n := w.count(validatePath); n != 1 {
			t.Errorf("asked %d times", n)
		}
		s, err := w.c.Verify(t.Context(), third)
		if err != nil || s.ID != id.String() || s.Type != "standard" || s.UserID != "user_1" || !s.Has("read:profile") || s.Has("x") || s.AuthTime.IsZero() {
			t.Errorf("%+v, %v", s, err)
		}
		s.Permissions()[0] = "write:everything"
		w.want(third, client.ErrPermissionDenied, client.Require("write:everything"))
	})
}

func TestARevocationIsHeardWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		_, other := w.open()
		w.want(raw, nil)
		w.want(other, nil)
		w.revoke(id)
		synctest.Wait()
		w.want(raw, client.ErrInvalid)
		w.want(raw, client.ErrInvalid)
		w.want(other, nil)
		if n := w.count(validatePath); n != 2 {
			t.Errorf("asked %d times: what has ended needs no question", n)
		}
		w.cut()
		synctest.Wait()
		w.want(other, client.ErrInvalid)
	})
}

func TestNarrowedPermissionsHoldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open("read:profile", "write:messages")
		w.want(raw, nil, client.Require("write:messages"))
		next := w.narrow(id, "read:profile")
		synctest.Wait()
		w.want(raw, client.ErrExpired)
		w.want(next, client.ErrPermissionDenied, client.Require("write:messages"))
		w.want(next, nil, client.Require("read:profile"))
	})
}

// A token that says more than is known of its session came before the feed did: it
// is asked about, and old ones die with the answer.
func TestATokenThatIsAheadOfTheFeedIsAskedAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open("read:profile")
		w.want(raw, nil)
		w.wire.set(only(feedPath, fault{hang: true}))
		next := w.narrow(id, "read:profile", "write:messages")
		w.want(next, nil, client.Require("write:messages"))
		w.want(raw, client.ErrExpired)
	})
}

// The client is blind when the feed's last word is too old, whatever the cause,
// and sees again as soon as the feed is back.
func TestACutFeedFailsClosed(t *testing.T) {
	for name, f := range map[string]fault{
		"reset": {cut: true}, "silent": {hang: true}, "503": {change: body(503, "application/json", `{"success":false,"error":{"code":"unavailable","message":"x"}}`)},
		"the key is bad":  {change: body(401, "application/json", `{"success":false,"error":{"code":"credential_invalid","message":"x"}}`)},
		"an operator's":   {change: body(403, "application/json", `{"success":false,"error":{"code":"permission_denied","message":"x"}}`)},
		"not JSON":        {change: body(200, "text/html", "<p>Sign in to the network</p>")},
		"malformed":       {change: body(200, "application/json", `{"success":true,"data":{"position":"a","position":"b"}}`)},
		"no position":     {change: body(200, "application/json", `{"success":true,"data":{"gap":false,"held_ms":1000,"age_ms":0,"more":false,"events":[]}}`)},
		"no data":         {change: body(200, "application/json", `{"success":true}`)},
		"of the past":     {change: body(200, "application/json", `{"success":true,"data":{"position":"e0.0.0","gap":false,"held_ms":0,"age_ms":-1,"more":false,"events":[]}}`)},
		"held too long":   {change: body(200, "application/json", `{"success":true,"data":{"position":"e0.0.0","gap":false,"held_ms":1500,"age_ms":0,"more":false,"events":[]}}`)},
		"more of nothing": {change: body(200, "application/json", `{"success":true,"data":{"position":"e0.0.0","gap":false,"held_ms":0,"age_ms":0,"more":true,"events":[]}}`), after: time.Millisecond},
		"never over":      {change: body(200, "application/json", `{"success":true,"data":{"position":"e0.0.0","gap":false,"held_ms":0,"age_ms":0,"more":true,"events":[{"event":"session.ended","session_id":"sess_00000000000000000000000000000000","reason":"revoked"}]}}`), after: time.Millisecond},
		"huge":            {change: body(200, "application/json", `{"success":true,"data":{"position":"`+strings.Repeat("a", 1<<20)+`"}}`)},
		"a redirect":      {change: body(307, "application/json", ``)},
		"a cache's":       {change: func(r *http.Response) { r.Header.Set("Age", "3") }},
		"an old read":     {change: body(200, "application/json", `{"success":true,"data":{"position":"e0.0.0","gap":false,"held_ms":0,"age_ms":4900,"more":false,"events":[]}}`), after: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				_, raw := w.open()
				w.want(raw, nil)
				time.Sleep(1100 * time.Millisecond)
				w.wire.set(only(feedPath, f))
				time.Sleep(client.FeedAge - 1200*time.Millisecond)
				w.want(raw, nil) // a cut this short is not noticed
				time.Sleep(3 * time.Second)
				w.want(raw, client.ErrUnavailable)
				if n := w.count(validatePath); n != 1 || w.c.Fresh() {
					t.Errorf("asked %d times, fresh: %v", n, w.c.Fresh())
				}
				w.wire.set(nil)
				time.Sleep(5 * time.Second) // the call under way and the pause
				w.want(raw, nil)
				if strings.Contains(w.log.String(), key) || strings.Contains(w.log.String(), "sess_") {
					t.Errorf("the log tells too much: %s", w.log)
				}
			})
		})
	}
}

// An answer that was long on its way is as old as its question: it knows nothing of
// what happened since it was read.
func TestALateAnswerIsAsOldAsItsQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil)
		late := true
		w.wire.set(func(p string) fault {
			if p != feedPath {
				return fault{}
			}
			defer func() { late = false }()
			return fault{after: 1900 * time.Millisecond, cut: !late} // the next one, and then none
		})
		time.Sleep(time.Second)                       // the one before comes back
		time.Sleep(time.Second + 10*time.Millisecond) // the next is read, and on its way
		w.revoke(id)
		revoked, last := time.Now(), time.Duration(0)
		for time.Since(revoked) < 8*time.Second {
			at := time.Since(revoked)
			if w.verify(raw) == nil {
				last = at
			}
			time.Sleep(50 * time.Millisecond)
		}
		if last > 5*time.Second || last < 4*time.Second {
			t.Errorf("valid for %v", last)
		}
	})
}

// Four seconds without the feed: nobody is refused who would not have been. Ten:
// everybody is, and then nobody is logged out.
func TestAFeedThatIsCutForFourSecondsAndForTen(t *testing.T) {
	for _, blind := range []client.Blindness{client.FailClosed, client.AskRemotely} {
		for _, cut := range []time.Duration{4, 10} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, client.WhenBlind(blind))
				_, raw := w.open()
				id, ended := w.open()
				w.want(raw, nil)
				w.want(ended, nil)
				w.wire.set(only(feedPath, fault{cut: true}))
				w.revoke(id)
				revoked, valid, refused := time.Now(), 0, 0
				for time.Since(revoked) < cut*time.Second {
					switch err := w.verify(raw); {
					case err == nil:
						valid++
					case errors.Is(err, client.ErrUnavailable):
						refused++
					default:
						t.Errorf("after %v: %v", time.Since(revoked), err)
					}
					if err := w.verify(ended); err == nil && time.Since(revoked) > 5*time.Second {
						t.Errorf("valid %v after the revocation", time.Since(revoked))
					}
					time.Sleep(100 * time.Millisecond)
				}
				t.Logf("blind %d, cut %ds: %d valid, %d unavailable", blind, cut, valid, refused)
				if blind == client.AskRemotely && refused > 0 {
					t.Error("the session service was there to be asked")
				}
				if blind == client.FailClosed && cut == 10 && refused < 50 {
					t.Error("it should have been blind")
				}
				w.wire.set(nil)
				time.Sleep(3 * time.Second)
				w.want(raw, nil)
				w.want(ended, client.ErrInvalid)
			})
		}
	}
}

// Three seconds without the feed are not noticed, whenever they begin and whether the
// network is silent or says so.
func TestAShortCutIsNotNoticed(t *testing.T) {
	for _, f := range []fault{{cut: true}, {hang: true}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			_, raw := w.open()
			for range 20 {
				time.Sleep(4*time.Second + 50*time.Millisecond)
				w.wire.set(only(feedPath, f))
				for range 60 {
					w.want(raw, nil)
					time.Sleep(50 * time.Millisecond)
				}
				w.wire.set(nil)
				for range 60 {
					w.want(raw, nil)
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
}

// Whoever does not hold requests is not asked in a loop for that.
func TestAnsweredAtOnceIsNotAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.open()
		w.want(raw, nil)
		for _, more := range []string{"true", "false"} {
			w.wire.set(only(feedPath, fault{change: body(200, "application/json", `{"success":true,"data":{"position":"e0.0.0","gap":false,"held_ms":0,"age_ms":0,"more":`+more+`,"events":[]}}`)}))
			time.Sleep(2 * time.Second)
			// The wire asks the service first, which holds the request.
			w.wire.serve(atOnce{w.service})
			before := w.count(feedPath)
			time.Sleep(10 * time.Second)
			if n := w.count(feedPath) - before; n < 5 || n > 110 {
				t.Errorf("more is %s: asked %d times in ten seconds", more, n)
			}
			w.wire.serve(w.service)
		}
		w.wire.set(nil)
		time.Sleep(time.Second)
		w.want(raw, nil)
	})
}

// atOnce is the service, which does not wait.
type atOnce struct{ *service }

func (s atOnce) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	q.Set("wait", "0")
	r.URL.RawQuery = q.Encode()
	s.service.ServeHTTP(w, r)
}

// A revocation that overtakes the answer of a validate: the answer is not believed,
// and not kept.
func TestARevocationRacesAValidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.wire.set(only(validatePath, fault{after: 2 * time.Second})) // it was valid when it was read
		var wg sync.WaitGroup
		wg.Go(func() { w.want(raw, client.ErrInvalid) })
		time.Sleep(time.Second)
		w.revoke(id)
		wg.Wait()
		w.wire.set(nil)
		w.want(raw, client.ErrInvalid)
	})
}

func TestAnUpdateRacesAValidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open("read:profile")
		w.wire.set(only(validatePath, fault{after: time.Second}))
		var wg sync.WaitGroup
		wg.Go(func() { w.want(raw, client.ErrExpired) })
		time.Sleep(500 * time.Millisecond)
		next := w.narrow(id, "write:messages")
		wg.Wait()
		w.want(next, nil, client.Require("write:messages"))
	})
}

// While it is validated everything else may be forgotten: a gap, a cut.
func TestAGapForgetsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil)
		w.mu.Lock()
		w.sessions[id].ended = "revoked" // nobody is told
		w.mu.Unlock()
		w.want(raw, nil)
		w.restore()
		synctest.Wait()
		w.want(raw, client.ErrInvalid)
	})
}

func TestValidatesRestOnThePosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.open()
		w.want(raw, nil)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.afters) != 1 || w.afters[0] == "" {
			t.Errorf("after: %q", w.afters)
		}
	})
}

// What a validate comes to that says nothing of the token is unavailable.
func TestUnknownIsNeverInvalid(t *testing.T) {
	for name, f := range map[string]fault{
		"reset": {cut: true}, "silent": {hang: true}, "too late": {after: 4 * time.Second},
		"503":             {change: body(503, "application/json", `{"success":false,"data":{"valid":false,"reason":"unavailable"},"error":{"code":"unavailable","message":"x"}}`)},
		"429":             {change: body(429, "application/json", `{"success":false,"data":{"valid":false,"reason":"rate_limited"},"error":{"code":"rate_limited","message":"x"}}`)},
		"the key is bad":  {change: body(401, "application/json", `{"success":false,"error":{"code":"credential_invalid","message":"x"}}`)},
		"a proxy's 401":   {change: body(401, "text/html", `session_invalid`)},
		"a bare 401":      {change: body(401, "application/json", `{}`)},
		"half a refusal":  {change: body(401, "application/json", `{"success":false,"error":{"code":"session_invalid","message":"x"}}`)},
		"two minds":       {change: body(401, "application/json", `{"success":false,"data":{"valid":true,"reason":"session_invalid"},"error":{"code":"session_invalid","message":"x"}}`)},
		"a 403":           {change: body(403, "application/json", `{"success":false,"data":{"valid":false,"reason":"permission_denied"},"error":{"code":"permission_denied","message":"x"}}`)},
		"another session": {change: body(200, "application/json", `{"success":true,"data":{"valid":true,"session_id":"sess_00000000000000000000000000000000","session_type":"standard","auth_time":"2000-01-01T00:00:00Z","idle_expires_at":"2100-01-01T00:00:00Z","session_expires_at":"2100-01-01T00:00:00Z","generation":1,"min_gen":1}}`)},
		"not valid":       {change: body(200, "application/json", `{"success":true,"data":{"valid":false}}`)},
		"a redirect":      {change: body(302, "application/json", ``)},
		"huge":            {change: body(200, "application/json", strings.Repeat(" ", 1<<20))},
		"a login page":    {change: body(200, "text/html", `<form>`)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				_, raw := w.open()
				w.wire.set(only(validatePath, f))
				w.want(raw, client.ErrUnavailable)
				w.wire.set(nil)
				w.want(raw, nil)
			})
		})
	}
}

// Texts that no key has signed cost the session service nothing.
func TestForgeriesCostNoQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil)
		forger := newService(newKey(t, token.EdDSA))
		claims := w.claimsOf(id)
		claims.Generation = 2
		parts := strings.Split(raw, ".")
		for name, text := range map[string]string{
			"empty": "", "junk": "x", "dots": "..", "cut": raw[:len(raw)-2], "long": raw + strings.Repeat("A", 5000),
			"an edited payload":     parts[0] + "." + strings.Replace(parts[1], "A", "B", 1) + "." + parts[2],
			"no signature":          parts[0] + "." + parts[1] + ".",
			"algorithm none":        "eyJhbGciOiJub25lIn0." + parts[1] + ".",
			"another's payload":     parts[0] + "." + strings.Split(forger.sign(claims), ".")[1] + "." + parts[2],
			"another's signature":   parts[0] + "." + parts[1] + "." + strings.Split(forger.sign(claims), ".")[2],
			"a line break inside":   raw[:10] + "\n" + raw[10:],
			"with Bearer before it": "Bearer " + raw,
		} {
			if err := w.verify(text); !errors.Is(err, client.ErrInvalid) && !errors.Is(err, client.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range 100 {
			w.verify(forger.sign(claims)) // of a key that nobody has published
			time.Sleep(100 * time.Millisecond)
		}
		if n := w.count(validatePath); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if n := w.count(keysPath); n > 8 {
			t.Errorf("the keys were fetched %d times in ten seconds", n)
		}
		time.Sleep(3 * time.Second)
		w.want(forger.sign(claims), client.ErrInvalid)
		w.want(raw, nil)
	})
}

// A key that is rotated while tokens are verified: nobody is told to log in again.
func TestAKeyIsRotatedWhileVerifying(t *testing.T) {
	for _, alg := range []token.Algorithm{token.EdDSA, token.ES256} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			id, old := w.open()
			w.want(old, nil)
			for range 3 {
				time.Sleep(3 * time.Second) // since the keys were last fetched
				next := newKey(t, alg)
				w.wire.set(only(feedPath, fault{hang: true})) // the keys change before it is told
				w.rotate(next, false)
				fresh := w.refresh(id)
				var wg sync.WaitGroup
				for range 50 {
					wg.Go(func() { w.want(fresh, nil) })
					wg.Go(func() { w.want(old, nil) })
				}
				wg.Wait()
				w.wire.set(nil)
				time.Sleep(5 * time.Second)
				old = fresh
			}
			if n := w.count(keysPath); n > 8 {
				t.Errorf("fetched %d times", n)
			}
			// A key that is withdrawn opens nothing, not even what was seen.
			w.rotate(newKey(t, alg), true)
			synctest.Wait()
			time.Sleep(client.FeedAge)
			w.want(old, client.ErrInvalid)
		})
	}
}

// The feed vouches for nothing while the keys that it spoke of are not here.
func TestKeysThatDoNotComeMakeBlind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.open()
		w.want(raw, nil)
		w.wire.set(only(keysPath, fault{cut: true}))
		w.rotate(newKey(t, token.EdDSA), true)
		time.Sleep(6 * time.Second)
		w.want(raw, client.ErrUnavailable)
		w.wire.set(nil)
		time.Sleep(6 * time.Second)
		w.want(raw, client.ErrInvalid)
	})
}

// Keys that were read before a call began do not tell that there is no such key.
func TestAFetchFromBeforeTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, _ := w.open()
		forged := newService(newKey(t, token.EdDSA)).sign(w.claimsOf(id))
		time.Sleep(3 * time.Second)
		w.wire.set(func(p string) fault {
			switch p {
			case keysPath:
				return fault{after: time.Second}
			case feedPath:
				return fault{hang: true}
			}
			return fault{}
		})
		time.Sleep(time.Second) // no call of the feed from before is held any more
		var wg sync.WaitGroup
		wg.Go(func() { w.want(forged, client.ErrInvalid) })
		time.Sleep(500 * time.Millisecond)
		w.rotate(newKey(t, token.EdDSA), false)
		fresh := w.refresh(id)
		w.want(fresh, client.ErrUnavailable)
		wg.Wait()
		w.wire.set(nil)
		time.Sleep(3 * time.Second)
		w.want(fresh, nil)
	})
}

// Without published keys each token is asked about, once, and followed from then
// on.
func TestTokensThatCannotBeCheckedAreAskedAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWorld(t, newService(newKey(t, token.HS256)))
		id, raw := w.open("read:profile")
		for range 3 {
			w.want(raw, nil, client.Require("read:profile"))
		}
		next := w.refresh(id)
		w.want(next, nil)
		w.want(raw, nil)
		forged := newService(newKey(t, token.HS256)).sign(w.claimsOf(id))
		w.want(forged, client.ErrInvalid)
		w.want("junk", client.ErrInvalid)
		w.want(next, nil)
		if n := w.count(validatePath); n != 3 {
			t.Errorf("asked %d times", n)
		}
		w.revoke(id)
		synctest.Wait()
		w.want(raw, client.ErrInvalid)
		w.want(next, client.ErrInvalid)
	})
}

// The session service may change to tokens that only it can check, and back: those
// of before live on.
func TestTheAlgorithmChanges(t *testing.T) {
	for _, algs := range [][2]token.Algorithm{{token.EdDSA, token.HS256}, {token.HS256, token.EdDSA}, {token.EdDSA, token.ES256}} {
		synctest.Test(t, func(t *testing.T) {
			w := startWorld(t, newService(newKey(t, algs[0])))
			_, seen := w.open()
			_, unseen := w.open()
			w.want(seen, nil)
			time.Sleep(3 * time.Second)
			w.wire.set(only(feedPath, fault{before: time.Second})) // tokens are faster than the news
			w.rotate(newKey(t, algs[1]), false)
			_, later := w.open()
			for range 2 {
				for _, raw := range []string{later, seen, unseen} {
					w.want(raw, nil)
				}
				time.Sleep(5 * time.Second)
			}
		})
	}
}

func TestPermissionsAndAgesAreHeldHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.openKind(token.Professional, "professional", "write:therapy_notes", "access:professional_tools")
		_, pseudonym := w.openKind(token.Anonymous, "anonymous", "use:ai_bots")
		notes := client.Require("write:therapy_notes")
		w.want(raw, nil, notes, client.MaxAge(time.Minute))
		var e *api.Error
		if err := w.verify(raw, client.Require("x", "access:professional_tools"), client.Require("a")); !errors.As(err, &e) || e.Code != api.PermissionDenied || strings.Join(e.Details.Missing, " ") != "a x" {
			t.Errorf("%v", err)
		}
		time.Sleep(2 * time.Minute)
		w.want(raw, nil, notes)
		w.want(raw, nil, client.MaxAge(-1))
		if err := w.verify(raw, client.MaxAge(time.Minute)); !errors.As(err, &e) || e.Code != api.ReauthenticationRequired || e.Details.MaxAge != 60 {
			t.Errorf("%v", err)
		}
		w.want(pseudonym, nil, client.MaxAge(time.Minute)) // its time is known by five minutes
		time.Sleep(13*time.Minute + time.Second)
		if err := w.verify(raw, notes); !errors.As(err, &e) || e.Code != api.ReauthenticationRequired || e.Details.MaxAge != 900 {
			t.Errorf("%v", err)
		}
		w.want(raw, nil, client.Require("access:professional_tools"))
		w.want(pseudonym, client.ErrReauthentication, client.MaxAge(time.Minute))
	})
}

// Ends: a token's own is known here; a session's may have moved, and is asked about.
func TestEndsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil)
		w.mu.Lock()
		w.sessions[id].idle = time.Now().Add(2 * time.Hour) // its person was here, and elsewhere
		w.sessions[id].claims.ExpiresAt = time.Now().Add(time.Hour)
		w.mu.Unlock()
		raw = w.refresh(id)
		w.want(raw, nil)
		time.Sleep(36 * time.Minute)
		w.want(raw, nil)
		if n := w.count(validatePath); n != 2 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(time.Hour - 36*time.Minute - time.Second)
		w.want(raw, nil)
		time.Sleep(time.Second)
		var e *api.Error
		if err := w.verify(raw); !errors.As(err, &e) || e.Details.Reason != "token_expired" {
			t.Errorf("%v", err)
		}
		_, idle := w.open()
		w.want(idle, nil)
		time.Sleep(35 * time.Minute)
		if err := w.verify(idle); !errors.As(err, &e) || e.Details.Reason != "idle_timeout" {
			t.Errorf("%v", err)
		}
	})
}

func TestTheCacheKeepsItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.CacheEntries(50))
		var raws []string
		for range 200 {
			_, raw := w.open()
			w.want(raw, nil)
			w.want(append(raws, raw)[0], nil) // one that stays busy
			raws = append(raws, raw)
		}
		if n := w.c.Stats().Sessions; n != 50 {
			t.Errorf("%d sessions are remembered", n)
		}
		if n := w.count(validatePath); n != 200 {
			t.Errorf("asked %d times: the busy one was evicted", n)
		}
		for _, id := range w.ids() {
			w.revoke(id)
		}
		time.Sleep(time.Second)
		for _, raw := range raws {
			w.want(raw, client.ErrInvalid)
		}
	})
}

func TestReportsTellGenerationsAndPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil, client.Background())
		time.Sleep(20 * time.Second)
		if got := w.told(); len(got) != 0 {
			t.Errorf("reported %v: the validate told it", got)
		}
		next := w.refresh(id)
		for range 100 {
			w.want(next, nil, client.Background())
		}
		time.Sleep(time.Second)
		if got := w.told(); len(got) != 1 || got[0] != (api.Seen{SessionID: id.String(), Generation: 2}) {
			t.Errorf("reported %v", got)
		}
		for range 100 {
			w.want(next, nil)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(4 * time.Second)
		if got := w.told()[1:]; len(got) < 2 || len(got) > 5 || !got[0].Active {
			t.Errorf("reported %v", got)
		}
	})
}

// Reports never hold a Verify up, and are dropped loudly where nobody takes them.
func TestReportsAreDroppedLoudly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil, client.Background())
		w.wire.set(only(reportsPath, fault{cut: true}))
		began := time.Now()
		w.want(w.refresh(id), nil)
		if time.Since(began) != 0 {
			t.Error("it waited")
		}
		time.Sleep(10 * time.Second)
		if n := w.count(reportsPath); n != 4 || w.c.Stats().ReportsDropped != 2 || !strings.Contains(w.log.String(), "dropped") {
			t.Errorf("%d calls, %d dropped, log %s", n, w.c.Stats().ReportsDropped, w.log)
		}
		if strings.Contains(w.log.String(), id.String()) {
			t.Error("the log names a session")
		}
	})
}

func TestCloseSendsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil, client.Background())
		w.want(w.refresh(id), nil)
		w.c.Close()
		if got := w.told(); len(got) != 2 {
			t.Errorf("%v", got)
		}
		w.want(raw, client.ErrUnavailable)
		if w.c.Fresh() {
			t.Error("a closed client vouches for something")
		}
		w.c.Close()
	})
}

// A service that is being stopped is not held up by one that hangs: what cannot be
// told in a few seconds is dropped, and counted.
func TestCloseTakesAFewSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const people = 3 * api.MaxSeen
		for range people {
			_, raw := w.open()
			w.want(raw, nil, client.Background())
			w.want(raw, nil)
		}
		w.wire.set(all(fault{hang: true}))
		began := time.Now()
		w.c.Close()
		if took := time.Since(began); took > 7*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := w.c.Stats().ReportsDropped; n < people {
			t.Errorf("%d of %d were counted as dropped", n, people)
		}
	})
}

// A first call waits for the feed's first word, or for it to fail, and no longer.
func TestTheFirstCallWaitsForTheFeed(t *testing.T) {
	for _, c := range []struct {
		f     fault
		want  error
		after time.Duration
	}{
		{fault{after: time.Second}, nil, time.Second},
		{fault{after: time.Second, cut: true}, client.ErrUnavailable, time.Second},
		{fault{hang: true}, client.ErrUnavailable, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newService(newKey(t, token.EdDSA))
			_, raw := s.open()
			w := startWorldWith(t, s, only(feedPath, c.f))
			begin := time.Now()
			w.want(raw, c.want)
			if took := time.Since(begin); took != c.after {
				t.Errorf("%+v: it took %v", c.f, took)
			}
		})
	}
}

func TestMoreAndMoreEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.mu.Lock()
		w.more = 3
		w.mu.Unlock()
		var raws []string
		for range 20 {
			_, raw := w.open()
			w.want(raw, nil)
			raws = append(raws, raw)
		}
		for _, id := range w.ids() {
			w.revoke(id)
		}
		synctest.Wait()
		for _, raw := range raws {
			w.want(raw, client.ErrInvalid)
		}
	})
}

// A thousand sign-ins stand in the log, and nobody is told of them: an answer may
// have more to tell and tell nothing. Who was away while they happened comes back.
func TestAnAnswerThatTellsNothingIsPassedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, raw := w.open()
		w.want(raw, nil)
		w.wire.set(only(feedPath, fault{cut: true}))
		time.Sleep(10 * time.Second)
		w.pass(5 * api.MaxEvents)
		w.revoke(id)
		w.wire.set(nil)
		time.Sleep(2 * time.Second)
		if !w.c.Fresh() {
			t.Errorf("still blind: %s", w.log)
		}
		w.want(raw, client.ErrInvalid)
	})
}

func TestAddressesAndKeysAreChecked(t *testing.T) {
	for _, c := range []struct{ url, key string }{
		{"http://sessions.example", key}, {"ftp://sessions.example", key}, {"https://user:secret@sessions.example", key}, {"https://x/?a=b", key},
		{"sessions.example", key}, {"", key}, {"https://\x00secret", key}, {"https://sessions.example", ""}, {"https://sessions.example", "a b\r\n"},
	} {
		_, err := client.New(c.url, c.key)
		if err == nil {
			t.Errorf("%q %q: accepted", c.url, c.key)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats it: %v", err)
		}
	}
	for _, url := range []string{"http://localhost:8080", "http://127.0.0.1:1/", "http://[::1]:1"} {
		c, err := client.New(url, key, client.Transport(&wire{to: newService()}))
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		c.Close()
	}
}

// Where tokens cannot be checked here, a made-up token names a session and is asked
// about beside the session's own: neither is answered what the other is.
func TestAForgeryIsNoAnswer(t *testing.T) {
	for _, forgedFirst := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := startWorld(t, newService(newKey(t, token.HS256)))
			id, raw := w.open()
			forged := newService(newKey(t, token.HS256)).sign(w.claimsOf(id))
			w.wire.set(only(validatePath, fault{after: 100 * time.Millisecond}))
			var wg sync.WaitGroup
			show := func(real bool) {
				if real {
					wg.Go(func() { w.want(raw, nil) })
				} else {
					wg.Go(func() { w.want(forged, client.ErrInvalid) })
				}
				time.Sleep(time.Millisecond)
			}
			for range 3 {
				show(!forgedFirst)
				show(forgedFirst)
			}
			wg.Wait()
			w.want(forged, client.ErrInvalid)
			if n := w.count(validatePath); n != 3 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// What was asked before the feed was ever heard is not kept: what ends it in
// between might not be told.
func TestABlindClientRemembersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(newKey(t, token.EdDSA))
		id, raw := s.open()
		w := startWorldWith(t, s, only(feedPath, fault{cut: true}), client.WhenBlind(client.AskRemotely))
		w.want(raw, nil)
		w.want(raw, nil)
		if n := w.count(validatePath); n != 2 || w.c.Stats().Sessions != 0 {
			t.Errorf("asked %d times, %d are remembered", n, w.c.Stats().Sessions)
		}
		w.revoke(id)
		w.want(raw, client.ErrInvalid)
	})
}

// A joiner of a question about another token of the session gets its own answer.
func TestTokensOfOneSessionShareAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, first := w.open()
		w.refresh(id)
		third := w.refresh(id)
		w.wire.set(only(validatePath, fault{after: 100 * time.Millisecond}))
		var wg sync.WaitGroup
		wg.Go(func() { w.want(first, client.ErrExpired) })
		time.Sleep(time.Millisecond)
		wg.Go(func() { w.want(third, nil) })
		time.Sleep(time.Millisecond)
		wg.Go(func() { w.want(first, client.ErrExpired) })
		wg.Wait()
	})
}

// The key and the tokens go to the address that was given, and nowhere else.
func TestARedirectIsNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, raw := w.open()
		elsewhere := 0
		w.wire.set(func(p string) fault {
			if p == "/elsewhere" {
				elsewhere++
			}
			if p != validatePath {
				return fault{}
			}
			return fault{change: func(r *http.Response) {
				r.StatusCode = 307
				r.Header.Set("Location", "/elsewhere")
			}}
		})
		w.want(raw, client.ErrUnavailable)
		if elsewhere != 0 {
			t.Error("it went elsewhere")
		}
	})
}

// Whoever answers may put what they were asked about into a line that is no HTTP,
// and net/http's error repeats it. It comes into no error, and so into no log.
func TestNoErrorRepeatsWhatTheWaySays(t *testing.T) {
	_, raw := newService(newKey(t, token.EdDSA)).open()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", raw)
			c.Close()
		}
	})}
	go echo.Serve(l)
	defer echo.Close()
	log := new(locked)
	way := new(http.Transport)
	defer way.CloseIdleConnections()
	c, err := client.New("http://"+l.Addr().String(), key, client.Transport(way), client.Logger(slog.New(slog.NewTextHandler(log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Verify(t.Context(), raw)
	if !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("verified: %v", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), raw) {
			t.Errorf("the error tells the token: %v", e)
		}
	}
	c.Close()
	if strings.Contains(log.String(), raw) {
		t.Errorf("the log tells the token: %s", log.String())
	}
}

// However long an authentication may be ago, the arithmetic holds.
func TestAnyAgeIsAnAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, named := w.open()
		_, pseudonym := w.openKind(token.Anonymous, "anonymous")
		for _, raw := range []string{named, pseudonym} {
			w.want(raw, nil, client.MaxAge(math.MaxInt64))
			w.want(raw, nil, client.MaxAge(-1))
			w.want(raw, nil, client.MaxAge(math.MinInt64))
		}
	})
}

// An authentication of the future is of unknown age.
func TestAnAuthenticationOfTheFutureIsNotFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id, _ := w.open()
		w.mu.Lock()
		w.sessions[id].claims.AuthTime = time.Now().Add(2 * time.Minute)
		w.mu.Unlock()
		raw := w.refresh(id)
		w.want(raw, nil)
		w.want(raw, client.ErrReauthentication, client.MaxAge(time.Hour))
	})
}

// A machine that slept: its monotonic clock stood still. A wall that was set ahead is
// taken for the same, and one that was set back changes nothing.
func TestASleepMakesBlind(t *testing.T) {
	for _, c := range []struct {
		monotonic, wall time.Duration
		want            bool
	}{
		{0, 0, true}, {time.Second, time.Second, true}, {-time.Second, -time.Second, true}, {client.FeedAge, client.FeedAge, true},
		{client.FeedAge + 1, client.FeedAge + 1, false}, {time.Second, time.Hour, false}, {time.Second, -time.Hour, true}, {time.Minute, -time.Hour, false},
	} {
		if got := client.Young(c.monotonic, c.wall); got != c.want {
			t.Errorf("%v, %v: %v", c.monotonic, c.wall, got)
		}
	}
	if client.FeedAge >= 5*time.Second {
		t.Error("nothing is kept back for clocks")
	}
}
