package server_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
)

// REL-06: many people's calls share connections, buffers and tables, and three
// in ten are cancelled at a random moment. No answer, whole or cut off, carries
// another person's data.
func TestNoAnswerIsAnothers(t *testing.T) {
	const people, callers = 40, 16
	paths := []string{"/validate", "/current", ""}
	calls := large(30_000)
	if *long {
		calls = 1_000_000
	}
	w := newWorld(t)
	w.many = true
	// The clock stands still, so each person's answers are always the same bytes.
	type own struct {
		token   string
		answers map[string]string
	}
	var all []own
	seen := map[string]bool{}
	for range people {
		w.person = w.newPerson()
		me := own{w.signIn(api.CreateRequest{DeviceLabel: "of " + w.person.Principal()[:20]}).SessionToken, map[string]string{}}
		for _, path := range paths {
			a := w.call("GET", "/api/auth/sessions"+path, me.token, nil)
			text := string(a.Body)
			if a.Status != 200 || !strings.Contains(text, w.person.Principal()) || seen[text] {
				t.Fatalf("%d %s", a.Status, text)
			}
			me.answers[path], seen[text] = text, true
		}
		all = append(all, me)
	}
	var wg sync.WaitGroup
	var whole, cancelled, part atomic.Int64
	for c := range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 6))
			for range calls / callers {
				me := all[rng.IntN(people)]
				path := paths[max(0, rng.IntN(5)-2)]
				ctx, cancel := context.WithCancel(t.Context())
				if rng.IntN(10) < 3 {
					timer := time.AfterFunc(time.Duration(rng.IntN(1500))*time.Microsecond, cancel)
					defer timer.Stop()
				}
				req, err := http.NewRequestWithContext(ctx, "GET", w.url+"/api/auth/sessions"+path, nil)
				if err != nil {
					t.Error(err)
				}
				req.Header.Set("Authorization", "Bearer "+me.token)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					cancelled.Add(1)
					cancel()
					continue
				}
				text, err := io.ReadAll(res.Body)
				res.Body.Close()
				cancel()
				if err != nil {
					part.Add(1)
				}
				switch want := me.answers[path]; {
				case err != nil && !strings.HasPrefix(want, string(text)), err == nil && string(text) != want:
					t.Errorf("%s: got %s\nwant %s", path, text, want)
				case err == nil:
					whole.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d answers whole, %d calls cancelled before their answer, %d in it", whole.Load(), cancelled.Load(), part.Load())
	if whole.Load() < int64(calls)/2 || cancelled.Load() < int64(calls)/20 {
		t.Error("too few of a kind to prove anything")
	}
}
