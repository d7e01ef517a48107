package anonymous

import (
	"fmt"
	"time"

	session "github.com/mentalverse/session"
)

// Rules say when commitments enter the group and when it may be used.
type Rules struct {
	Every      time.Duration // at most one snapshot in, but at an epoch's turn
	MinBatch   int           // commitments that enter together
	MaxWait    time.Duration // after which fewer enter, too
	MinMembers int           // below which nobody could hide
}

// DefaultRules hide who came when, and who is who, at the price of a wait.
func DefaultRules() Rules {
	return Rules{Every: Coarse, MinBatch: 5, MaxWait: 6 * time.Hour, MinMembers: 20}
}

// DevRules let one developer try everything at once. They hide nobody.
func DevRules() Rules { return Rules{MinBatch: 1, MinMembers: 1} }

// Due tells whether a new snapshot with the pending commitments is to be
// published: they are enough, or the oldest of them waited long enough.
func (r Rules) Due(pending int, oldest, now time.Time) bool {
	return pending > 0 && (pending >= r.MinBatch || now.Sub(oldest) >= r.MaxWait)
}

// Turned tells whether a new snapshot is due, whatever is pending, because the
// newest is of an epoch that is over: only the own epoch's are accepted.
func (s Snapshot) Turned(e Epochs, now time.Time) bool { return s.Epoch < e.Epoch(now) }

// Open refuses with CodeUnavailable while the newest snapshot has too few
// members. That is no failure: it has no cause, so that no log tells of who came.
func (r Rules) Open(members int) error {
	if members >= r.MinMembers && members > 0 {
		return nil
	}
	return session.Refuse(session.CodeUnavailable, fmt.Sprintf("Anonymous sign-in opens with %d members, because fewer could not hide one another. So far there are %d.", max(r.MinMembers, 1), members), nil)
}
