package session

import (
	"time"

	"github.com/mentalverse/session/token"
)

// Action names a security-relevant act in the audit trail.
type Action string

// The actions that are recorded.
const (
	ActionCreate         Action = "session.create"
	ActionRefresh        Action = "session.refresh"
	ActionReauthenticate Action = "session.reauthenticate"
	ActionPermissions    Action = "session.permissions"
	ActionLabel          Action = "session.label"
	ActionEnd            Action = "session.end"
	ActionEpoch          Action = "restore.epoch"
)

// Record is the durable trace of one act. It commits with the act's [Change]
// and holds no secret, no address and no free text from outside.
type Record struct {
	Action    Action
	At        time.Time
	SessionID token.ID
	SubjectID string
	Detail    string // an EndReason, a generation, or empty
	RequestID string // of the HTTP request, empty for the service's own acts
}
