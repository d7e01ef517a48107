package api

import "strconv"

// ServicePath is where the calls of the platform's services stand.
const ServicePath = "/service/v1"

// Bounds of the services' calls.
const (
	MaxWait        = 20        // seconds that the feed holds a request
	MaxEvents      = 1000      // in one answer
	MaxPosition    = 256       // bytes of A-Z a-z 0-9 . _ -
	MaxSeen        = 1000      // sightings in one report
	MaxReport      = 256 << 10 // bytes of a report
	MaxPermissions = 64        // in one validate
)

// Feed is the data of GET /feed.
type Feed struct {
	Position string `json:"position"` // for the next call's after
	Gap      bool   `json:"gap"`      // forget everything cached
	// HeldMS and AgeMS tell how new the answer is: it is at least as new as the
	// moment when the request was sent, and HeldMS later, and AgeMS earlier. Of an
	// answer with More that is not so.
	HeldMS int64       `json:"held_ms"`
	AgeMS  int64       `json:"age_ms"`
	More   bool        `json:"more"` // ask again at once
	Events []FeedEvent `json:"events"`
}

// FeedEvent is one event of the feed: session.ended, session.updated,
// sessions.cut or keys.changed.
type FeedEvent struct {
	Event     string `json:"event"`
	SessionID string `json:"session_id,omitempty"`
	Reason    string `json:"reason,omitempty"`  // of an end
	MinGen    uint32 `json:"min_gen,omitempty"` // of an update: tokens below are dead
}

// ServiceValidateRequest is the body of POST /validate.
type ServiceValidateRequest struct {
	Token       string   `json:"token"`
	Permissions []string `json:"permissions,omitempty"`
	MaxAge      *int64   `json:"max_age,omitempty"` // seconds since the authentication
	After       string   `json:"after,omitempty"`   // a position: no older state may answer
	Activity    bool     `json:"activity,omitempty"`
}

// ServiceValidation is the data of POST /validate.
type ServiceValidation struct {
	Validation
	Generation uint32 `json:"generation"` // the session's newest
	MinGen     uint32 `json:"min_gen"`    // tokens of a generation below are dead
}

// AppendJSON appends v as encoding/json would marshal it.
func (v *ServiceValidation) AppendJSON(b []byte) []byte {
	b = v.Validation.AppendJSON(b)
	b = strconv.AppendUint(append(b[:len(b)-1], `,"generation":`...), uint64(v.Generation), 10)
	b = strconv.AppendUint(append(b, `,"min_gen":`...), uint64(v.MinGen), 10)
	return append(b, '}')
}

// Report is the body of POST /reports.
type Report struct {
	Seen []Seen `json:"seen"` // 1 to MaxSeen
}

// Seen tells that a genuine token of a session was used.
type Seen struct {
	SessionID  string `json:"session_id"`
	Generation uint32 `json:"generation"`       // of the token, at least 1
	Active     bool   `json:"active,omitempty"` // the person acted within the last 10 s
}

// Reported is the data of POST /reports.
type Reported struct {
	Accepted int `json:"accepted"` // of sessions that live
}
