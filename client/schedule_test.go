package client_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/token"
)

var (
	schedules = flag.Int("schedules", 120, "random schedules of the property test")
	seed      = flag.Uint64("seed", 1, "the first schedule")
)

// No "valid" of a call that began more than five seconds after a revocation was
// acknowledged, whatever the network does; and nobody is told to log in again whose
// session lives. Each schedule is forty seconds of a service, a bad network and a client,
// in virtual time.
func TestNothingIsValidFiveSecondsAfterItsRevocation(t *testing.T) {
	n := *schedules
	if testing.Short() {
		n = min(n, 50)
	}
	var sum tally
	for i := range uint64(n) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, *seed+i)
			s.play()
			sum.add(s.tally)
			if t.Failed() {
				t.Logf("again with -seed=%d -schedules=1", *seed+i)
			}
		})
	}
	t.Logf("%d schedules: %+v", n, sum)
	if sum.Valid == 0 || sum.Late == 0 || sum.Refused == 0 || sum.Unavailable == 0 {
		t.Error("the schedules show nothing")
	}
}

// tally counts what the calls of schedules came to.
type tally struct{ Valid, Late, Refused, Unavailable int }

func (t *tally) add(o tally) {
	t.Valid += o.Valid
	t.Late += o.Late
	t.Refused += o.Refused
	t.Unavailable += o.Unavailable
}

// schedule is a world in which everything happens at random.
type schedule struct {
	*world
	rng   *rand.Rand
	alg   token.Algorithm
	start time.Time
	tally tally

	mu    sync.Mutex
	lives []*life
}

// life is one session and what became of it.
type life struct {
	id     token.ID
	tokens []shownToken
	over   time.Time // when its end was acknowledged; zero while it lives
}

type shownToken struct {
	raw  string
	dead time.Time // when it was acknowledged that it is refused; zero while it is not
}

const (
	promise   = 5 * time.Second
	runLength = 40 * time.Second
)

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{rng: rand.New(rand.NewPCG(seed, 0)), start: time.Now()}
	alg := token.EdDSA
	if seed%7 == 0 {
		alg = token.HS256
	}
	opts := []client.Option{client.CacheEntries(1 + s.rng.IntN(8))}
	if s.rng.IntN(2) == 0 {
		opts = append(opts, client.WhenBlind(client.AskRemotely))
	}
	s.alg = alg
	of := newService(newKey(t, alg))
	if s.rng.IntN(3) == 0 {
		of.more = 1 + s.rng.IntN(2)
	}
	s.world = startWorld(t, of, opts...)
	for range 5 {
		s.begin()
	}
	return s
}

func (s *schedule) begin() {
	id, raw := s.open("read:profile")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives = append(s.lives, &life{id: id, tokens: []shownToken{{raw: raw}}})
}

func (s *schedule) between(low, high time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return low + time.Duration(s.rng.Int64N(int64(high-low)))
}

func (s *schedule) die(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

// play runs the schedule, and then holds the client to what it can do on a good
// network.
func (s *schedule) play() {
	var wg sync.WaitGroup
	wg.Go(s.disturb)
	wg.Go(s.act)
	for range 3 {
		wg.Go(s.call)
	}
	wg.Wait()
	s.wire.set(nil)
	time.Sleep(12 * time.Second)
	for _, l := range s.lives {
		newest := l.tokens[len(l.tokens)-1]
		if err := s.verify(newest.raw); (err == nil) != (l.over.IsZero()) {
			s.t.Errorf("on a good network: %v, over %v", err, l.over)
		}
	}
}

// disturb puts one network after another.
func (s *schedule) disturb() {
	for time.Since(s.start) < runLength {
		path := []string{feedPath, feedPath, validatePath, keysPath, ""}[s.die(5)]
		f, leaky := s.trouble(), s.die(2) == 0
		s.wire.set(func(p string) fault {
			if path != "" && p != path || leaky && s.die(10) == 0 {
				return fault{}
			}
			return f()
		})
		time.Sleep(s.between(0, 9*time.Second))
		if s.die(2) == 0 {
			s.wire.set(nil)
			time.Sleep(s.between(0, 4*time.Second))
		}
	}
}

// trouble is one kind of bad network.
func (s *schedule) trouble() func() fault {
	most := s.between(time.Millisecond, 8*time.Second)
	switch s.die(8) {
	case 0:
		return func() fault { return fault{cut: true} }
	case 1:
		return func() fault { return fault{hang: true} }
	case 2: // the way there is slow
		return func() fault { return fault{before: s.between(0, most)} }
	case 3: // the way back is: what arrives was true a while ago
		return func() fault { return fault{after: s.between(0, most)} }
	case 4: // both, and some is lost
		return func() fault { return fault{before: s.between(0, most), after: s.between(0, most), cut: s.die(3) == 0} }
	case 5:
		return func() fault {
			return fault{change: body(503, "application/json", `{"success":false,"error":{"code":"unavailable","message":"x"}}`)}
		}
	case 6:
		return func() fault { return fault{change: body(200, "text/html", "<p>hello")} }
	}
	return func() fault { // a cache that says so
		return fault{after: s.between(0, most), change: func(r *http.Response) { r.Header.Set("Age", fmt.Sprint(1+s.die(9))) }}
	}
}

// act lets things happen to sessions.
func (s *schedule) act() {
	for time.Since(s.start) < runLength {
		time.Sleep(s.between(0, 3*time.Second))
		s.mu.Lock()
		l := s.lives[s.rng.IntN(len(s.lives))]
		s.mu.Unlock()
		switch s.die(12) {
		case 0, 1, 2:
			s.revoke(l.id)
			s.end(l)
			s.begin()
		case 3:
			s.cut()
			for _, l := range s.lives {
				s.end(l)
			}
			s.begin()
		case 4:
			s.restore()
		case 5:
			s.rotate(newKey(s.t, s.alg), false)
		case 6, 7:
			raw := s.narrow(l.id, "read:profile")
			s.step(l, raw, 0)
		case 8:
			s.begin()
		default:
			raw := s.refresh(l.id)
			s.step(l, raw, 1)
		}
	}
}

// end notes that a session's end was acknowledged.
func (s *schedule) end(l *life) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.over.IsZero() {
		l.over = time.Now()
	}
}

// step notes a new token, besides which so many older ones live.
func (s *schedule) step(l *life, raw string, keep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range l.tokens {
		// Nobody tells of a refresh: its predecessor's predecessor is refused by who
		// has seen the new token, and is no revocation.
		if keep == 0 && l.tokens[i].dead.IsZero() {
			l.tokens[i].dead = time.Now()
		}
	}
	l.tokens = append(l.tokens, shownToken{raw: raw})
}

// call verifies whatever there is.
func (s *schedule) call() {
	for time.Since(s.start) < runLength {
		time.Sleep(s.between(0, 400*time.Millisecond))
		s.mu.Lock()
		l := s.lives[s.rng.IntN(len(s.lives))]
		last := len(l.tokens) - 1
		n := max(0, last-s.rng.IntN(3))
		raw, dead := l.tokens[n].raw, l.tokens[n].dead
		begin, over := time.Now(), l.over
		s.mu.Unlock()
		err := s.verify(raw)
		s.mu.Lock()
		switch {
		case err == nil:
			s.tally.Valid++
			for _, since := range []time.Time{over, dead} {
				if !since.IsZero() {
					s.tally.Late++
					if begin.Sub(since) > promise {
						s.t.Errorf("valid in a call that began %v after the revocation", begin.Sub(since))
					}
				}
			}
		case errors.Is(err, client.ErrUnavailable):
			s.tally.Unavailable++
		case errors.Is(err, client.ErrInvalid) && l.over.IsZero():
			s.t.Errorf("session_invalid of a session that lives: %v", err)
		case errors.Is(err, client.ErrExpired) && l.over.IsZero() && n == last && len(l.tokens)-1 == last:
			s.t.Errorf("session_expired of the newest token of a session that lives: %v", err)
		default:
			s.tally.Refused++
		}
		s.mu.Unlock()
	}
}
