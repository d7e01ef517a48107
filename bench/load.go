package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// call is one request of a load, and what becomes of its answer.
type call struct {
	request []byte
	learn   func(body []byte) error // may be nil
}

// took checks and learns an answer.
func (c *call) took(status int, body []byte) error {
	if status/100 != 2 {
		return fmt.Errorf("an answer %d: %s", status, body)
	}
	if c.learn != nil {
		return c.learn(body)
	}
	return nil
}

// load makes the calls of one client; false when there is nothing left to do.
type load func(client int) (call, bool)

// Run is what one run of a load came to.
type Run struct {
	Calls   int           `json:"calls"`
	Elapsed time.Duration `json:"elapsed_ns"`
	P50     time.Duration `json:"p50_ns"`
	P99     time.Duration `json:"p99_ns"`
	CPU     time.Duration `json:"cpu_ns"` // that the server used
}

// Rate is the calls a second.
func (r Run) Rate() float64 { return float64(r.Calls) / r.Elapsed.Seconds() }

// CPUPerCall is what the server used of its core for a call.
func (r Run) CPUPerCall() time.Duration { return r.CPU / time.Duration(max(1, r.Calls)) }

// runOn is runLoad on a process of ours, with what it used of its core.
func runOn(ctx context.Context, p *process, clients int, lasts time.Duration, l load) (Run, error) {
	before := p.cpu()
	r, err := runLoad(ctx, p.addr, clients, lasts, l)
	r.CPU = p.cpu() - before
	return r, err
}

// runLoad has so many clients call addr, each one call at a time, until the
// time is over or the load is done. Any answer that is not a success ends it.
func runLoad(ctx context.Context, addr string, clients int, lasts time.Duration, l load) (Run, error) {
	conns := make([]*client, clients)
	for i := range conns {
		c, err := dial(addr)
		if err != nil {
			return Run{}, err
		}
		defer c.conn.Close()
		conns[i] = c
	}
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	began := time.Now()
	all, err := drive(ctx, conns, l)
	elapsed := time.Since(began)
	if err != nil {
		return Run{}, err
	}
	if len(all) == 0 {
		return Run{}, errors.New("no call was answered")
	}
	slices.Sort(all)
	return Run{Calls: len(all), Elapsed: elapsed, P50: all[len(all)/2], P99: all[len(all)*99/100]}, nil
}
