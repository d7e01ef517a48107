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
