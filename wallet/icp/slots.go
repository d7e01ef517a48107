package icp

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"

	session "github.com/mentalverse/session"
)

// waitingPerSlot bounds the queue: at about a millisecond a check, whoever is
// let in waits less than a tenth of a second.
const waitingPerSlot = 64

// slots bounds how many expensive checks (pairings, RSA) run at once, to as
// many as there are processors, and how many wait. A check that finds no place
// has not failed: nobody knows its answer.
type slots struct {
	taken   chan struct{}
	waiting *atomic.Int64
}

func newSlots() slots {
	return slots{make(chan struct{}, runtime.GOMAXPROCS(0)), new(atomic.Int64)}
}

var errBusy = errors.New("icp: too many signatures are being checked")

// take waits for a place, which give returns.
func (s slots) take(ctx context.Context) error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > int64(waitingPerSlot*cap(s.taken)) {
		return busy(errBusy)
	}
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return busy(ctx.Err())
	}
}

func (s slots) give() { <-s.taken }

func busy(cause error) error {
	return session.Refuse(session.CodeUnavailable, "The service is busy. Try again shortly.", cause)
}
