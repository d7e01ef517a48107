package server_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/mentalverse/session/api"
)

// act is what a client asks of one session; token is the generation it shows.
type act struct {
	what  string // create, validate, refresh, logout
	token uint32
}

// outcome is what it was told.
type outcome struct {
	code api.Code // "" on success
	gen  uint32   // of the pair it got
}

// one is the session as if its acts came one after the other. The clock stands
// still, so that every step is within its grace.
type one struct {
	made, ended bool
	gen         uint32
}

func (s one) step(a act, o outcome) (bool, one) {
	switch {
	case a.what == "create":
		return !s.made && o == outcome{gen: 1}, one{made: true, gen: 1}
	case !s.made:
		return false, s
	case a.what == "logout":
		s.ended = true
		return o.code == "", s
	case a.what == "validate" && s.ended:
		return o.code == api.SessionInvalid, s
	case a.what == "validate" && a.token+1 >= s.gen:
		return o.code == "" && a.token <= s.gen, s
	case a.what == "validate":
		return o.code == api.SessionExpired, s
	case s.ended:
		return o.code == api.RefreshFailed, s
	case a.token == s.gen:
		s.gen++
		return o == outcome{gen: s.gen}, s
	case a.token+1 == s.gen:
		return o == outcome{gen: s.gen}, s
	}
	return o.code == api.RefreshSuperseded && a.token < s.gen, s
}

var sessionModel = porcupine.Model{
	Init: func() any { return one{} },
	Step: func(state, in, out any) (bool, any) {
		ok, next := state.(one).step(in.(act), out.(outcome))
		return ok, next
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v → %+v", in, out) },
}

// generation is that of a refresh token.
func generation(t *testing.T, refreshToken string) uint32 {
	b, err := base64.RawURLEncoding.DecodeString(refreshToken[3:])
	if err != nil || len(b) != 74 {
		t.Errorf("not a refresh token: %v", err)
		return 0
	}
	return binary.BigEndian.Uint32(b[22:])
}

// REL-05: 32 clients, eight to a session, create, validate, refresh and log out
// with whatever tokens any of them has got. What they are told is as if it had
// happened one after the other.
func TestHistoriesAreLinearizable(t *testing.T) {
	const groups, clients, each = 4, 8, 8
	sessions := large(40) // by each group
	if *long {
		sessions = 400
	}
	w := newWorld(t)
	w.many = true
	began := time.Now()
	var mu sync.Mutex
	histories := map[string][]porcupine.Operation{}
	kinds := map[string]int{}
	var all sync.WaitGroup
	for g := range groups {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 5))
			for range sessions {
				var known []api.Tokens
				var history []porcupine.Operation
				var own sync.Mutex
				do := func(client int, in act, f func() answer) {
					call := time.Since(began).Nanoseconds()
					a := f()
					ret := time.Since(began).Nanoseconds()
					out := outcome{code: a.code()}
					own.Lock()
					defer own.Unlock()
					if a.Status < 300 && (in.what == "create" || in.what == "refresh") {
						p := data[api.Tokens](t, a)
						out.gen = generation(t, p.RefreshToken)
						known = append(known, p)
					}
					history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ret})
				}
				credential := w.credential(w.newPerson())
				do(0, act{what: "create"}, func() answer { return w.call("POST", "/api/auth/sessions", credential, nil) })
				dying := rng.IntN(clients)
				seeds := rng.Uint64()
				var wg sync.WaitGroup
				for c := range clients {
					wg.Go(func() {
						rng := rand.New(rand.NewPCG(seeds, uint64(c)))
						for n := range each {
							own.Lock()
							p := known[max(0, len(known)-1-rng.IntN(3))]
							own.Unlock()
							gen := generation(t, p.RefreshToken)
							switch {
							case c == dying && n == each/2+rng.IntN(each/2):
								do(c, act{"logout", gen}, func() answer { return w.call("POST", "/api/auth/sessions/logout", p.SessionToken, nil) })
							case rng.IntN(2) == 0:
								do(c, act{"refresh", gen}, func() answer { return w.refresh(p.RefreshToken) })
							default:
								do(c, act{"validate", gen}, func() answer { return w.validate(p.SessionToken) })
							}
						}
					})
				}
				wg.Wait()
				mu.Lock()
				histories[known[0].SessionID] = history
				for _, op := range history {
					kinds[op.Input.(act).what+" "+string(op.Output.(outcome).code)]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	total := 0
	for id, history := range histories {
		total += len(history)
		if got := porcupine.CheckOperationsTimeout(sessionModel, history, 20*time.Second); got != porcupine.Ok {
			t.Errorf("%s: %s: %+v", id, got, history)
		}
	}
	t.Logf("%d acts on %d sessions: %v", total, len(histories), kinds)
	for _, kind := range []string{"validate " + string(api.SessionInvalid), "refresh " + string(api.RefreshFailed), "refresh ", "refresh " + string(api.RefreshSuperseded)} {
		if kinds[kind] == 0 {
			t.Errorf("no %q: that proves little", kind)
		}
	}
	// The model can say no.
	history := []porcupine.Operation{
		{Input: act{what: "create"}, Output: outcome{gen: 1}, Call: 0, Return: 1},
		{Input: act{"logout", 1}, Output: outcome{}, Call: 2, Return: 3},
		{Input: act{"validate", 1}, Output: outcome{}, Call: 4, Return: 5},
	}
	if porcupine.CheckOperations(sessionModel, history) {
		t.Error("a session that answers after its logout is taken for right")
	}
}
