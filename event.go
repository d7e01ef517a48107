package session

import (
	"time"

	"github.com/mentalverse/session/token"
)

// EventKind names what happened to a session.
type EventKind string

// The kinds of event that a change commits.
const (
	EventCreated EventKind = "session.created"
	EventUpdated EventKind = "session.updated" // permissions, authentication; tokens below MinGen are dead
	EventEnded   EventKind = "session.ended"

	EventCut             EventKind = "sessions.cut"     // many have ended by a rule
	EventLicenceExpiring EventKind = "licence.expiring" // a professional's, within 30 days

	EventKeys EventKind = "keys.changed" // of the published keys; it is told and never stored
)

// EndsTrust reports whether who has read of sessions before must learn of the
// event: an answer of theirs may be wrong since.
func (k EventKind) EndsTrust() bool {
	return k == EventEnded || k == EventUpdated || k == EventCut
}

// Event is something that happened to a session, told to its client, to other
// nodes and to other services. Refreshes are not announced: that would time
// the grace for a thief.
type Event struct {
	Kind      EventKind
	At        time.Time
	SessionID token.ID
	SubjectID string
	Reason    EndReason // of an end
	MinGen    uint32    // tokens of a generation below are dead
}

// Anonymous reports whether the event is about a pseudonym. Such events have a
// log of their own.
func (e *Event) Anonymous() bool { return isPseudonym(e.SubjectID) }

// Batch is one answer of the feed that services follow.
type Batch struct {
	Position string // to go on from
	// Gap is true if events may have been missed: whoever has cached anything must
	// forget it.
	Gap  bool
	More bool // there is more to be had at once, and only then all is told
	// Events are ends, updates, cuts and changed keys, oldest first of each log.
	// They have no subject and no time.
	Events []Event
	// What is told was so at least at the moment of the call, and Held later, and
	// Age earlier: Held is from the call to when the read of the store began that
	// the answer rests on. Age is how old that read was if it is from before.
	Held, Age time.Duration
}
