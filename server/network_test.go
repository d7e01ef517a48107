package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/sessiontest"
)

var long = flag.Bool("long", false, "run the long versions of the tests")

// browser is an honest person's: tabs that share what they store, over a
// network that loses calls.
type browser struct {
	w       *world
	client  *http.Client
	rng     *rand.Rand
	session string
	refresh string
	lost    int
}

var errRefused = errors.New("refused")

// send makes a call; it fails when the network lost it.
func (b *browser) send(method, path, bearer string, body any, out any) (int, error) {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	req, err := http.NewRequest(method, b.w.url+path, bytes.NewReader(text))
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.lost++
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		b.lost++
		return 0, err
	}
	if res.StatusCode != 200 {
		return res.StatusCode, errRefused
	}
	return res.StatusCode, json.Unmarshal(answer, out)
}

// tab refreshes with what it read from the shared storage some time ago, and
// tries again as a client does.
func (b *browser) tab(read string) {
	for range 8 {
		var out api.Envelope[api.Tokens]
		status, err := b.send("POST", "/api/auth/sessions/refresh", "", api.RefreshRequest{RefreshToken: read}, &out)
		switch {
		case err == nil:
			b.session, b.refresh = out.Data.SessionToken, out.Data.RefreshToken
			return
		case status == http.StatusConflict: // a sibling was faster: read what it stored
			b.w.clock.Advance(time.Second)
			read = b.refresh
		case errors.Is(err, errRefused):
			b.w.t.Fatalf("an honest browser was refused: %d", status)
		default:
			b.w.clock.Advance(15*time.Second + time.Duration(b.rng.IntN(15000))*time.Millisecond)
			read = b.refresh // the storage may have moved on
		}
	}
}

// One in five calls is lost, at any byte; three tabs, some of them slow, share
// a session. Nobody is logged out.
func TestLostAnswersLogNobodyOut(t *testing.T) {
	sessions := 6
	if *long {
		sessions = 120
	}
	w := newWorld(t)
	refreshes, lost := 0, 0
	for seed := range sessions {
		s := w.signIn(api.CreateRequest{})
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		b := &browser{w: w, rng: rng, session: s.SessionToken, refresh: s.RefreshToken,
			client: &http.Client{Transport: sessiontest.NewNetwork(uint64(seed), 0.2)}}
		for range 90 {
			w.clock.Advance(10 * time.Minute)
			read := b.refresh // all tabs wake with the same token
			for range 3 {
				if rng.IntN(4) == 0 { // a stalled tab
					w.clock.Advance(time.Duration(rng.IntN(40)) * time.Second)
				}
				b.tab(read)
				refreshes++
				if rng.IntN(3) > 0 {
					var v api.Envelope[api.Validation]
					if status, err := b.send("GET", "/api/auth/sessions/validate", b.session, nil, &v); errors.Is(err, errRefused) {
						t.Fatalf("session %d: validate: %d", seed, status)
					}
				}
			}
		}
		lost += b.lost
		w.want(w.call("POST", "/api/auth/sessions/logout", "", api.LogoutRequest{RefreshToken: b.refresh}), 200, "")
	}
	t.Logf("%d refreshes, %d calls lost, nobody logged out", refreshes, lost)
	if lost < refreshes/20 {
		t.Error("the network lost too little to prove anything")
	}
}
