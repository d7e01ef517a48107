package session

import (
	"context"
	"errors"
	"time"

	"github.com/mentalverse/session/token"
)

// Sighting is what a service saw of a session whose tokens it verifies itself.
type Sighting struct {
	SessionID  token.ID
	Generation uint32 // of a genuine token that was used
	Active     bool   // the person acted a moment ago
}

// Report takes in what a service saw, as if the tokens had been shown here: their
// generations are in use, and persons who acted were there unless their clients
// report that themselves. It returns how many sightings count. Those of unknown
// and of ended sessions do not, nor do those of tokens that are dead or that
// nobody can have.
func (s *Service) Report(ctx context.Context, seen []Sighting) (accepted int, err error) {
	now := s.now()
	for i := range seen {
		var row Session
		err := s.find(ctx, seen[i].SessionID, &row)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return accepted, unavailable(err)
		case !row.Alive(now) || !row.accepts(seen[i].Generation):
			continue
		}
		var activity time.Time
		if seen[i].Active && !row.Reporting {
			activity = row.Type.coarse(now)
		}
		s.live.see(&row, seen[i].Generation, activity, now)
		accepted++
	}
	return accepted, nil
}
