package session

import (
	"sync"
	"time"

	"github.com/mentalverse/session/token"
)

// deadlines holds for each live session the second at which one of its ends
// may be reached. A session whose end has moved since is simply put back.
type deadlines struct {
	mu sync.Mutex
	at map[int64][]token.ID
}

func newDeadlines() *deadlines { return &deadlines{at: map[int64][]token.ID{}} }

func (d *deadlines) add(id token.ID, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sec := at.Unix()
	d.at[sec] = append(d.at[sec], id)
}

// reached removes and returns every id whose second has come.
func (d *deadlines) reached(now time.Time) []token.ID {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []token.ID
	for sec, list := range d.at {
		if sec <= now.Unix() {
			ids = append(ids, list...)
			delete(d.at, sec)
		}
	}
	return ids
}
