package anonymous

import (
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Overlap is how long a snapshot is accepted after a newer one came: a proof
// may have been begun.
const Overlap = time.Hour

// Window is the snapshots a service holds, oldest first.
type Window []Snapshot

// Accepts tells whether a proof for the scope of an epoch may be over root: the
// newest snapshot's, or one that was the newest less than [Overlap] ago. A
// snapshot counts in its own epoch only: with the last epoch's, someone who
// left or replaced a commitment at the turn would have two pseudonyms in the
// new one.
func (w Window) Accepts(root fr.Element, epoch uint64, now time.Time) bool {
	for i := len(w) - 1; i >= 0; i-- {
		// The successor's time was cut to Coarse, so it may have come that much later.
		if i < len(w)-1 && !now.Before(w[i+1].CreatedAt.Add(Overlap+Coarse)) {
			return false
		}
		if w[i].Root == root && w[i].Epoch == epoch && !root.IsZero() {
			return true
		}
	}
	return false
}

// Trim returns the window without what will never be accepted again.
func (w Window) Trim(now time.Time) Window {
	for len(w) > 1 && !now.Before(w[1].CreatedAt.Add(Overlap+Coarse)) {
		w = w[1:]
	}
	return w
}
