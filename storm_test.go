package session_test

import (
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// REF-01: however many refreshes with one token come at once, the generation
// steps once, and all of them get the same successor. Stragglers of the round
// before are among them.
func TestStormsOfRefreshesStepOnce(t *testing.T) {
	rounds := map[int]int{2: 100, 10: 60, 100: 30, 1000: 10}
	if *long {
		rounds = map[int]int{2: 4000, 10: 3000, 100: 2000, 1000: 1000}
	}
	h := newHouse(t)
	for n, rounds := range rounds {
		s := h.signIn(session.CreateRequest{})
		before := s.RefreshToken
		for round := range rounds {
			h.clock.Advance(time.Second)
			var wg sync.WaitGroup
			var mu sync.Mutex
			got := map[string]int{}
			last := session.Tokens{}
			begin := make(chan struct{})
			for i := range n {
				token := s.RefreshToken
				straggler := round > 0 && i%10 == 9
				if straggler {
					token = before
				}
				wg.Go(func() {
					<-begin
					next, err := h.Refresh(t.Context(), token, "")
					if straggler && session.CodeOf(err) == session.CodeRefreshSuperseded {
						return // this round's step was first
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if straggler && next.Session.Generation == uint32(round+1) {
						return // it was first: the last round's successor, which is this round's token
					}
					got[next.RefreshToken.Reveal()]++
					last = next
				})
			}
			close(begin)
			wg.Wait()
			if len(got) != 1 || last.Session.Generation != uint32(round+2) {
				t.Fatalf("a storm of %d: %d different successors, generation %d after %d steps", n, len(got), last.Session.Generation, round+1)
			}
			before, s = s.RefreshToken, last
		}
		row, err := h.store.Session(t.Context(), s.Session.ID)
		if err != nil || row.Generation != uint32(rounds+1) || row.Ended() {
			t.Errorf("storms of %d: generation %d after %d of them, %v", n, row.Generation, rounds, err)
		}
	}
}
