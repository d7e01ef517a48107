//go:build !linux

package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// drive makes the load's calls over the connections until the time is over or
// the load is done, and returns how long each took.
func drive(ctx context.Context, conns []*client, l load) ([]time.Duration, error) {
	latencies := make([][]time.Duration, len(conns))
	errs := make([]error, len(conns))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			for ctx.Err() == nil {
				next, ok := l(i)
				if !ok {
					return
				}
				at := time.Now()
				status, body, err := c.do(next.request)
				if err == nil {
					err = next.took(status, body)
				}
				if err != nil {
					errs[i] = err
					cancel()
					return
				}
				latencies[i] = append(latencies[i], time.Since(at))
			}
		})
	}
	wg.Wait()
	return slices.Concat(latencies...), errors.Join(errs...)
}
