package anonymous

import (
	"errors"
	"time"
)

// Epochs cut time into spans in which a member keeps one pseudonym, counted
// from 1970. The length is part of a service's published configuration, which
// its clients hold: a server that could choose it anew for one of them could
// choose their scopes.
type Epochs struct{ length time.Duration }

// DefaultEpoch is the usual length of an epoch.
const DefaultEpoch = 30 * 24 * time.Hour

// minEpoch keeps a session's life and a clock's error well within an epoch.
const minEpoch = 24 * time.Hour

// ErrEpochs tells of a length that no epoch can have.
var ErrEpochs = errors.New("anonymous: an epoch is at least a day, in whole seconds")

// NewEpochs returns the epochs of a length.
func NewEpochs(length time.Duration) (Epochs, error) {
	if length < minEpoch || length%time.Second != 0 {
		return Epochs{}, ErrEpochs
	}
	return Epochs{length}, nil
}

// seconds makes the zero Epochs the default ones.
func (e Epochs) seconds() uint64 {
	if e.length == 0 {
		e.length = DefaultEpoch
	}
	return uint64(e.length / time.Second)
}

// Epoch returns the number of the epoch that t lies in.
func (e Epochs) Epoch(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) / e.seconds() }

// Start returns the first moment of epoch n.
func (e Epochs) Start(n uint64) time.Time { return time.Unix(int64(n*e.seconds()), 0).UTC() }

// EpochEnd returns the moment at which epoch n is over; it is in n+1 already.
func (e Epochs) EpochEnd(n uint64) time.Time { return e.Start(n + 1) }

// lastEpoch bounds numbers from outside, far below where a time overflows.
const lastEpoch = 1 << 20

// near reports whether epoch n lies at most slack from t.
func (e Epochs) near(n uint64, t time.Time, slack time.Duration) bool {
	return n <= lastEpoch && t.Add(slack).Compare(e.Start(n)) >= 0 && t.Add(-slack).Before(e.EpochEnd(n))
}
