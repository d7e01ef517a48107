package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/sessiontest"
)

// tap sees every answer whole, before the network cuts it off.
type tap struct {
	statuses map[int]int
	tokens   map[string]int // the refresh tokens issued since it was emptied
}

func (p *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	var out api.Envelope[api.Tokens]
	p.statuses[res.StatusCode]++
	if json.Unmarshal(text, &out) == nil && out.Data != nil {
		p.tokens[out.Data.RefreshToken]++
	}
	res.Body = io.NopCloser(bytes.NewReader(text))
	return res, nil
}

// REF-02: nine in ten calls are lost, half of them with their answer, which
// breaks off after any number of bytes. The client asks again with the same
// token, at once or after minutes, until an answer arrives: it is always the
// same successor, and nobody is logged out.
func TestTenThousandLostAnswersAreGivenAgain(t *testing.T) {
	const clients = 4
	want := large(10_000)
	if *long {
		want = 100_000
	}
	w := newWorld(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	lost, rounds := 0, 0
	for c := range clients {
		s := w.signIn(api.CreateRequest{})
		wg.Go(func() {
			p := &tap{statuses: map[int]int{}, tokens: map[string]int{}}
			network := sessiontest.NewNetwork(uint64(c), 0.9)
			network.Base = p
			client := &http.Client{Transport: network}
			token, unseen := s.RefreshToken, 0
			for round := 0; unseen < want/clients; round++ {
				clear(p.tokens)
				var out api.Envelope[api.Tokens]
				for tries := 0; ; tries++ {
					if tries > 500 {
						t.Error("no answer came through")
						return
					}
					body := strings.NewReader(`{"refresh_token":"` + token + `"}`)
					res, err := client.Post(w.url+"/api/auth/sessions/refresh", "application/json", body)
					if err != nil {
						continue
					}
					text, err := io.ReadAll(res.Body)
					res.Body.Close()
					if err != nil {
						unseen++
						if c == 0 && unseen%500 == 0 { // while one client waits, the others' graces end
							w.clock.Advance(11 * time.Second)
						}
						continue
					}
					if res.StatusCode != 200 || json.Unmarshal(text, &out) != nil {
						t.Errorf("round %d: %d %s", round, res.StatusCode, text)
						return
					}
					break
				}
				if len(p.tokens) != 1 || p.tokens[out.Data.RefreshToken] == 0 {
					t.Errorf("round %d: %d different successors were issued", round, len(p.tokens))
					return
				}
				token = out.Data.RefreshToken
				mu.Lock()
				rounds++
				mu.Unlock()
			}
			mu.Lock()
			lost += unseen
			mu.Unlock()
			if len(p.statuses) != 1 {
				t.Errorf("statuses %v", p.statuses)
			}
		})
	}
	wg.Wait()
	t.Logf("%d answers lost in %d refreshes, nobody logged out", lost, rounds)
}
