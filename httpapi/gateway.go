package httpapi

import (
	"fmt"
	"net/http"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// forwarded are the fields by which a validate tells a gateway whose session it
// is, so that the gateway can hand them on. All four come or none: a gateway
// that copies a field which did not come may leave what a client had put there.
var forwarded = [...]string{"Session-Subject", "Session-Type", "Session-Permissions", "Session-Verification-Level"}

// refusalField tells a gateway the code of a refusal.
const refusalField = "Session-Refusal"

// noLevel is the verification level of whoever has no entry in the registry.
const noLevel = "none"

// forward sets the forwarded fields of a session that is good. Of a pseudonym
// there is no more than the pseudonym, and of nobody the session's id, the
// account or a time: those are in the body, for who needs them.
//
// Names are checked although tokens can carry no others (token.IsWord): a field
// that breaks apart at a gateway would make somebody else of its subject.
func forward(h http.Header, row *session.Session) error {
	_, level := practice(row)
	if level == "" {
		level = noLevel
	}
	room := make([]byte, 0, 256)
	room = append(append(room, row.Subject.ID...), row.Type...)
	named := len(room)
	words := token.IsWord(row.Subject.ID)
	for i, p := range row.Permissions {
		if i > 0 {
			room = append(room, ' ')
		}
		words = words && token.IsWord(p)
		room = append(room, p...)
	}
	if !words {
		return fmt.Errorf("session %s: its subject or permissions are no words", row.ID)
	}
	text, subject := string(room), len(row.Subject.ID)
	values := [len(forwarded)]string{text[:subject], text[subject:named], text[named:], level}
	for i, name := range forwarded {
		h[name] = values[i : i+1 : i+1]
	}
	return nil
}

// wantsForwarded reads headers=true, which a gateway asks for the fields with.
func wantsForwarded(values []string) (bool, error) {
	switch {
	case len(values) == 0:
		return false, nil
	case len(values) == 1 && values[0] == "true":
		return true, nil
	}
	return false, refuse(http.StatusBadRequest, api.InvalidRequest, "headers may be true.")
}
