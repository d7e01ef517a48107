package sessiontest

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
)

// Network is an http.RoundTripper that loses requests on their way there and
// answers on their way back, cut off after any number of bytes. The same seed
// draws the same fates. Safe for concurrent use.
type Network struct {
	// Lose is the share of calls that are lost, half of them before they arrive.
	Lose float64
	// Base carries the calls; http.DefaultTransport when nil.
	Base http.RoundTripper

	mu  sync.Mutex
	rng *rand.Rand
}

// ErrLost is the error of a lost call.
var ErrLost = errors.New("sessiontest: the network lost the call")

// NewNetwork returns a network that loses a share of the calls.
func NewNetwork(seed uint64, lose float64) *Network {
	return &Network{Lose: lose, rng: rand.New(rand.NewPCG(seed, 1))}
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	fate, keep := n.rng.Float64(), n.rng.IntN(800)
	n.mu.Unlock()
	if fate < n.Lose/2 {
		return nil, ErrLost
	}
	base := n.Base
	if base == nil {
		base = http.DefaultTransport
	}
	res, err := base.RoundTrip(r)
	if err != nil || fate >= n.Lose {
		return res, err
	}
	res.Body = &cut{res.Body, keep}
	return res, nil
}

// cut is a body that breaks after some bytes, at the latest at its end.
type cut struct {
	io.ReadCloser
	left int
}

func (c *cut) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, ErrLost
	}
	n, err := c.ReadCloser.Read(b[:min(len(b), c.left)])
	c.left -= n
	if err == io.EOF {
		err = ErrLost
	}
	return n, err
}
