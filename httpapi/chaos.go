package httpapi

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/mentalverse/session/api"
)

// What chaos does to a call of the API, each by its own throw of the dice.
const (
	chaosShare = 0.1             // of calls, for each fault
	chaosDelay = 2 * time.Second // the longest delay
)

// Chaos makes the API fail as networks and servers do, for authors of clients:
// a tenth of the calls waits up to two seconds, a tenth is answered 503 before
// anything was done, and a tenth of the refreshes is done and then the
// connection closed without an answer. A right client logs nobody out for any
// of it: it repeats, and a repeated refresh gets the same successor.
//
// It is for development only; it does nothing to keys, health and description.
type Chaos struct {
	// Roll returns the next throw, in [0, 1). Nil means a fair one.
	Roll func() float64
}

func (c *Chaos) roll() float64 {
	if c.Roll != nil {
		return c.Roll()
	}
	return rand.Float64()
}

// serve serves the call, or fails it. A nil Chaos serves.
func (c *Chaos) serve(rt *route, w http.ResponseWriter, r *http.Request, call call) error {
	if c == nil || !strings.HasPrefix(rt.path, api.BasePath) {
		return rt.handle(w, r, call)
	}
	if c.roll() < chaosShare {
		if err := pause(r.Context(), time.Duration(c.roll()*float64(chaosDelay))); err != nil {
			panic(http.ErrAbortHandler) // the client went away meanwhile
		}
	}
	if c.roll() < chaosShare {
		return refuse(http.StatusServiceUnavailable, api.Unavailable, "Chaos: the service cannot answer right now. Try again shortly.")
	}
	if rt.path == refreshPath && c.roll() < chaosShare {
		// What it answers, a refusal too, is lost on the way.
		_ = rt.handle(&unheard{header: http.Header{}}, r, call)
		panic(http.ErrAbortHandler)
	}
	return rt.handle(w, r, call)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unheard is the answer that nobody gets.
type unheard struct{ header http.Header }

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) Write(b []byte) (int, error) { return len(b), nil }
func (u *unheard) WriteHeader(int)             {}
