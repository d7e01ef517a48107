package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/wallet/icp"
)

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// REL-07: a server that has drained leaves no goroutine, file or connection.
func TestADrainedServerLeavesNothing(t *testing.T) {
	idle := func() { http.DefaultTransport.(*http.Transport).CloseIdleConnections() }
	run := func() {
		w := newWorld(t)
		w.issue(20, 2, func(api.Tokens) {})
		s := w.signIn(api.CreateRequest{})
		for range 5 {
			w.listen(s)
		}
		idle()
		w.stop()
	}
	run() // what is made once and kept: the resolver, the poller
	idle()
	before := goleak.IgnoreCurrent()
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for range 3 {
		run()
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if now := descriptors(t); now > files {
		t.Errorf("%d descriptors, before it %d", now, files)
	}
	if now := runtime.NumGoroutine(); now > goroutines {
		t.Errorf("%d goroutines, before them %d", now, goroutines)
	}
}

// REL-07: told to stop under load, the server answers what it has begun, and
// the next one knows everything that was acknowledged.
func TestDrainingUnderLoadLosesNothing(t *testing.T) {
	type kept struct {
		tokens       api.Tokens
		ended, asked bool
	}
	w := newWorld(t)
	var mu sync.Mutex
	var all []*kept
	for round := range 3 {
		var acknowledged atomic.Int64
		var wg sync.WaitGroup
		enough := make(chan struct{})
		for range 16 {
			who := w.newPerson()
			wg.Go(func() {
				for n := 0; ; n++ {
					s := new(kept)
					credential, ok := w.quietCredential(who)
					if !ok || !w.quiet("/sessions", credential, nil, &s.tokens) {
						return // the server has gone
					}
					mu.Lock()
					all = append(all, s)
					mu.Unlock()
					if next := (api.Tokens{}); w.quiet("/sessions/refresh", "", api.RefreshRequest{RefreshToken: s.tokens.RefreshToken}, &next) {
						s.tokens = next
					}
					if n%2 == 0 {
						s.asked = true
						s.ended = w.quiet("/sessions/logout", s.tokens.SessionToken, nil, &api.Empty{})
					}
					if n > 5 {
						who = w.newPerson() // within the limit of live sessions
						n = 0
					}
					if acknowledged.Add(1) == int64(100+50*round) {
						close(enough)
					}
				}
			})
		}
		<-enough
		w.stop()
		wg.Wait()
		w.serve()
	}
	lost, revived, ended := 0, 0, 0
	for _, s := range all {
		a := w.validate(s.tokens.SessionToken)
		switch {
		case s.ended:
			ended++
			if a.Status == 200 {
				revived++
			}
		case a.Status != 200 && !s.asked:
			lost++
		}
	}
	t.Logf("%d sessions acknowledged, %d of them ended", len(all), ended)
	if lost > 0 || revived > 0 || ended == 0 || ended == len(all) {
		t.Errorf("%d lost, %d revived", lost, revived)
	}
}

// quiet posts and reports whether an answer of success came.
func (w *world) quiet(path, bearer string, body, out any) bool {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	req, err := http.NewRequest("POST", w.url+"/api/auth"+path, bytes.NewReader(text))
	if err != nil {
		return false
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		return false
	}
	var e api.Envelope[json.RawMessage]
	return json.Unmarshal(answer, &e) == nil && e.Data != nil && json.Unmarshal(*e.Data, out) == nil
}

func (w *world) quietCredential(who *icp.Identity) (string, bool) {
	var c api.Challenge
	if !w.quiet("/challenge", "", api.ChallengeRequest{Chain: "icp", Address: who.Principal()}, &c) {
		return "", false
	}
	credential, err := who.Credential(c.Message)
	return credential, err == nil
}
