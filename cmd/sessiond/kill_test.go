package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
)

var kills = flag.Int("kills", 60, "how often to kill the server under load")

// witness is one session as a client knows it. Of what was asked and not
// answered, either may hold.
type witness struct {
	tokens api.Tokens
	steps  int  // acknowledged refreshes
	asked  bool // to log out
	ended  bool // acknowledged
}

// work signs in, refreshes and logs out until the server is gone.
func (w *witness) work(ctx context.Context, r remote) {
	for range rand.IntN(4) {
		next, err := ask[api.Tokens](ctx, r, "POST", "/sessions/refresh", "", api.RefreshRequest{RefreshToken: w.tokens.RefreshToken})
		if err != nil {
			return
		}
		w.tokens = next
		w.steps++
	}
	if rand.IntN(2) == 0 {
		w.asked = true
		_, err := ask[api.Empty](ctx, r, "POST", "/sessions/logout", w.tokens.SessionToken, nil)
		w.ended = err == nil
	}
}

// What was acknowledged before kill -9 holds after it: no session, no refresh and
// no end is lost, nothing that ended lives again, and no change is without its
// record.
func TestKillKeepsWhatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	defer cancel()
	var mu sync.Mutex
	var all []*witness
	for range *kills {
		p := serve(t, dir)
		r := remote{Server: p.url}
		var wg sync.WaitGroup
		stop, halt := context.WithCancel(ctx)
		for range 16 {
			wg.Go(func() {
				for stop.Err() == nil {
					tokens, err := signIn(stop, r)
					if err != nil {
						return
					}
					w := &witness{tokens: tokens}
					mu.Lock()
					all = append(all, w)
					mu.Unlock()
					w.work(stop, r)
				}
			})
		}
		timer := time.NewTimer(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		<-timer.C
		p.kill(t)
		halt()
		wg.Wait()
	}
	p := serve(t, dir)
	r := remote{Server: p.url}
	lost, revived, ended, steps := 0, 0, 0, 0
	for _, w := range all {
		_, err := ask[api.Session](ctx, r, "GET", "/sessions/current", w.tokens.SessionToken, nil)
		steps += w.steps
		switch {
		case w.ended:
			ended++
			if err == nil {
				revived++
			}
		case err != nil && !w.asked:
			lost++
		}
	}
	t.Logf("%d kills: %d sessions, %d refreshes and %d logouts acknowledged", *kills, len(all), steps, ended)
	if lost > 0 || revived > 0 || ended == 0 || steps == 0 {
		t.Errorf("%d lost, %d revived", lost, revived)
	}
	p.kill(t)
	checkRecords(t, ctx, filepath.Join(dir, "data", "sessions.db"), all)
}

// checkRecords holds the sessions of a database against its audit records.
func checkRecords(t *testing.T, ctx context.Context, path string, all []*witness) {
	t.Helper()
	store, err := sqlite.OpenReadOnly(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	type trace struct{ created, refreshed, ended int }
	traces := map[token.ID]*trace{}
	for after := uint64(0); ; {
		records, err := store.Records(ctx, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			after = r.Position
			of := traces[r.SessionID]
			if of == nil {
				of = &trace{}
				traces[r.SessionID] = of
			}
			switch r.Action {
			case session.ActionCreate:
				of.created++
			case session.ActionRefresh:
				of.refreshed++
			case session.ActionEnd:
				of.ended++
			}
		}
	}
	for id, of := range traces {
		row, err := store.Session(ctx, id)
		if err != nil {
			t.Errorf("%s has records and no row: %v", id, err)
			continue
		}
		if of.created != 1 || uint32(1+of.refreshed) != row.Generation || (of.ended == 1) != row.Ended() || of.ended > 1 {
			t.Errorf("%s: generation %d, ended %v, records %+v", id, row.Generation, row.Ended(), *of)
		}
	}
	for row, err := range store.Live(ctx, time.Unix(0, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if traces[row.ID] == nil {
			t.Errorf("%s lives without a record", row.ID)
		}
	}
	for _, w := range all {
		id, err := token.ParseID(w.tokens.SessionID)
		if err != nil {
			t.Fatal(err)
		}
		if of := traces[id]; of == nil || of.refreshed < w.steps {
			t.Errorf("%s: %d acknowledged refreshes, records %+v", id, w.steps, of)
		}
	}
}
