package api

// OperatorPath is where operators' calls stand, on their own listener.
const OperatorPath = "/operator/v1"

// MaxImport bounds a file of licences, in bytes.
const MaxImport = 32 << 20

// OperatorRequest is the body of an operator's act that needs nothing else.
type OperatorRequest struct {
	Reason string `json:"reason"` // 3 to 200 bytes, kept in the audit trail
}

// Operator is one of those who may look at others or act on them.
type Operator struct {
	OperatorID string `json:"operator_id"`
	Name       string `json:"name"`
	Role       string `json:"role"` // viewer, operator or auditor
	CreatedAt  string `json:"created_at"`
	RevokedAt  string `json:"revoked_at,omitempty"`
	Key        string `json:"key,omitempty"` // of a new one, this once
}

// OperatorList is the data of GET /operators.
type OperatorList struct {
	Operators []Operator `json:"operators"`
}

// AddOperatorRequest is the body of POST /operators.
type AddOperatorRequest struct {
	Name   string `json:"name"`
	Role   string `json:"role"`
	Reason string `json:"reason"`
}

// ServiceKey is the key of one of the platform's services.
type ServiceKey struct {
	ServiceID string `json:"service_id"`
	Name      string `json:"name"`
	CreatedAt string `json:"created_at"`
	RevokedAt string `json:"revoked_at,omitempty"`
	Key       string `json:"key,omitempty"` // of a new one, this once
}

// ServiceKeyList is the data of GET /services.
type ServiceKeyList struct {
	Services []ServiceKey `json:"services"`
}

// AddServiceRequest is the body of POST /services.
type AddServiceRequest struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Account is a wallet's public name.
type Account struct {
	Chain   string `json:"chain"`
	Address string `json:"address"`
}

// Licence is one authority's word that a person may practise.
type Licence struct {
	Number       string `json:"number"`
	Authority    string `json:"authority"`
	Jurisdiction string `json:"jurisdiction"`
	Status       string `json:"status,omitempty"` // pending, verified, suspended or revoked
	ValidUntil   string `json:"valid_until"`      // in requests also a date, whose whole day counts
}

// Professional is an entry of the registry.
type Professional struct {
	ProfessionalID    string    `json:"professional_id"`
	VerificationLevel string    `json:"verification_level"`
	VerifiedUntil     string    `json:"verified_until,omitempty"`
	Review            bool      `json:"review,omitempty"` // waits for review since a restore: nobody signs in by it
	Accounts          []Account `json:"accounts"`
	Licences          []Licence `json:"licences"`
}

// ConfirmAllRequest is the body of POST /professionals/confirm. All must be said.
type ConfirmAllRequest struct {
	All    bool   `json:"all"`
	Reason string `json:"reason"`
}

// ConfirmCount is how many entries were confirmed.
type ConfirmCount struct {
	Confirmed int `json:"confirmed"`
}

// ProfessionalList is the data of GET /professionals.
type ProfessionalList struct {
	Professionals []Professional `json:"professionals"`
}

// AddProfessionalRequest is the body of POST /professionals.
type AddProfessionalRequest struct {
	Accounts []Account `json:"accounts,omitempty"`
	Licences []Licence `json:"licences"`
	Reason   string    `json:"reason"`
}

// AmendProfessionalRequest is the body of PATCH /professionals/{id}: what is
// given replaces what was.
type AmendProfessionalRequest struct {
	Accounts *[]Account `json:"accounts,omitempty"`
	Licences *[]Licence `json:"licences,omitempty"`
	Reason   string     `json:"reason"`
}

// LicenceRequest is the body of an act on one licence.
type LicenceRequest struct {
	Authority string `json:"authority"`
	Number    string `json:"number"`
	Reason    string `json:"reason"`
}

// ImportReport is the answer of POST /professionals/import.
type ImportReport struct {
	Committed bool         `json:"committed"` // false: nothing was done
	Added     int          `json:"added"`
	Changed   int          `json:"changed"`
	Unchanged int          `json:"unchanged"`
	Refused   int          `json:"refused"`
	Lines     []ImportLine `json:"lines"`
}

// ImportLine is what became of one line of a file.
type ImportLine struct {
	Line           int    `json:"line"`
	Did            string `json:"did"` // added, changed, unchanged or refused
	ProfessionalID string `json:"professional_id,omitempty"`
	Why            string `json:"why,omitempty"`
}

// Selection names sessions by what they have in common: the query of GET
// /sessions, and in the body of POST /sessions/end.
type Selection struct {
	SubjectID     string `json:"subject_id,omitempty"`
	SessionType   string `json:"session_type,omitempty"`
	CreatedFrom   string `json:"created_from,omitempty"`
	CreatedBefore string `json:"created_before,omitempty"`
	KeyID         string `json:"key_id,omitempty"` // a signing key's kid
}

// EndManyRequest is the body of POST /sessions/end. Without any part of a
// selection it ends nothing: All must be said.
type EndManyRequest struct {
	All bool `json:"all,omitempty"`
	Selection
	Reason string `json:"reason"`
}

// LiveList is the data of GET /sessions. Anonymous sessions are counted and not
// listed.
type LiveList struct {
	Sessions  []Session `json:"sessions"`
	Anonymous int       `json:"anonymous_sessions"` // all that live, as of the last five minutes
}

// Record is one of the audit trail.
type Record struct {
	Position  uint64   `json:"position"`
	Action    string   `json:"action"`
	At        string   `json:"at"`
	SessionID string   `json:"session_id,omitempty"`
	SubjectID string   `json:"subject_id,omitempty"`
	Actor     string   `json:"actor,omitempty"` // an operator's id
	Detail    string   `json:"detail,omitempty"`
	Changed   []string `json:"changed,omitempty"` // fields of an entry of the registry, by name
	RequestID string   `json:"request_id,omitempty"`
}

// AnonymousRecord is one of the trail of pseudonyms. The keys are ordered by
// time, and at random within the same five minutes.
type AnonymousRecord struct {
	Key       string `json:"key"`
	Action    string `json:"action"`
	At        string `json:"at"` // the five minutes that begin there
	SessionID string `json:"session_id,omitempty"`
	SubjectID string `json:"subject_id"`
	Actor     string `json:"actor,omitempty"` // an operator's id
	Detail    string `json:"detail,omitempty"`
}

// AnonymousRecordList is the data of GET /records/anonymous.
type AnonymousRecordList struct {
	Records []AnonymousRecord `json:"records"`
}

// RecordList is the data of GET /records.
type RecordList struct {
	Records []Record `json:"records"`
}
