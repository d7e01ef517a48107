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
	ActionEnrol          Action = "member.enrol"
	ActionLeave          Action = "member.leave"
	ActionBlock          Action = "subject.block" // a user or a pseudonym
	ActionUnblock        Action = "subject.unblock"
	ActionProfessional   Action = "professional.change"
	ActionConfirm        Action = "professional.confirm" // of an entry that waited for review
	ActionErase          Action = "user.erase"
	ActionCut            Action = "sessions.cut"
	ActionAddition       Action = "professional.add"
	ActionImport         Action = "professional.import"
	ActionVerify         Action = "licence.verify"
	ActionSuspend        Action = "licence.suspend"
	ActionRevokeLicence  Action = "licence.revoke"
	ActionReinstate      Action = "licence.reinstate"
	ActionRevoke         Action = "session.revoke" // by an operator, whose reason it has; each end has its own record
	ActionOperatorAdd    Action = "operator.add"
	ActionOperatorRevoke Action = "operator.revoke"
	ActionServiceAdd     Action = "service.add"
	ActionServiceRevoke  Action = "service.revoke"
)

// Record is the durable trace of one act. It commits with the act's [Change]
// and holds no secret, no address and no text from outside but the reason that
// an operator gives.
type Record struct {
	Action    Action
	At        time.Time
	SessionID token.ID
	SubjectID string
	Actor     string // the operator who acted; empty for a session's own acts
	Detail    string // an EndReason, a number, an operator's reason, or empty
	Changed   string // names of the fields of an entry that were changed, with spaces between; no values
	RequestID string // of the HTTP request, empty for the service's own acts and for anonymous ones
}

// Anonymous reports whether the record is about a pseudonym. Such records have
// a trail of their own, coarse in time and without an order within it.
func (r *Record) Anonymous() bool { return isPseudonym(r.SubjectID) }
