package api

import "encoding/json"

// BasePath is where the API's calls stand.
const BasePath = "/api/auth"

// MaxBody bounds the body of a request, in bytes.
const MaxBody = 16 << 10

// Envelope is the shape of every JSON answer: data when Success, else Error
// (and, for validate, data too).
type Envelope[T any] struct {
	Success bool   `json:"success"`
	Data    *T     `json:"data,omitempty"`
	Error   *Error `json:"error,omitempty"`
}

// All times are RFC 3339 UTC with seconds.

// ChallengeRequest is the body of POST /challenge.
type ChallengeRequest struct {
	Chain       string `json:"chain,omitempty"`
	Address     string `json:"address,omitempty"`
	SessionType string `json:"session_type,omitempty"`
	Purpose     string `json:"purpose,omitempty"` // signin (default), reauthenticate or enrol
}

// Challenge is the answer of POST /challenge.
type Challenge struct {
	Nonce     string  `json:"nonce"`
	Message   string  `json:"message"`         // sign exactly this text; for a proof a decimal number
	Scope     string  `json:"scope,omitempty"` // of a proof: a decimal number
	Epoch     *uint64 `json:"epoch,omitempty"` // of a proof for signing in
	IssuedAt  string  `json:"issued_at"`
	ExpiresAt string  `json:"expires_at"`
}

// CreateRequest is the body of POST /sessions; every field may be left out.
type CreateRequest struct {
	SessionType string   `json:"session_type,omitempty"`
	Duration    *int64   `json:"duration,omitempty"` // seconds of one token
	Permissions []string `json:"permissions,omitempty"`
	Transport   string   `json:"transport,omitempty"` // header (default) or cookie
	Activity    string   `json:"activity,omitempty"`  // reported
	DeviceLabel string   `json:"device_label,omitempty"`
	Credential  string   `json:"credential,omitempty"` // instead of Authorization
}

// Tokens is the answer of create, refresh and reauthenticate. With cookies it
// holds CSRFToken instead of the two tokens.
type Tokens struct {
	SessionToken     string   `json:"session_token,omitempty"`
	RefreshToken     string   `json:"refresh_token,omitempty"`
	ExpiresAt        string   `json:"expires_at"`
	SessionID        string   `json:"session_id"`
	SessionType      string   `json:"session_type"`
	Permissions      []string `json:"permissions"`
	ExpiresIn        int64    `json:"expires_in"`
	RefreshAt        *string  `json:"refresh_at"` // null: a refresh would reach no further
	IdleExpiresAt    string   `json:"idle_expires_at"`
	SessionExpiresAt string   `json:"session_expires_at"`
	DeviceLabel      string   `json:"device_label,omitempty"`
	CSRFToken        string   `json:"csrf_token,omitempty"`
}

// Validation is the data of GET /sessions/validate.
type Validation struct {
	Valid             bool     `json:"valid"`
	ExpiresAt         string   `json:"expires_at"`
	TimeRemaining     int64    `json:"time_remaining"`
	Permissions       []string `json:"permissions"`
	SessionID         string   `json:"session_id"`
	SessionType       string   `json:"session_type"`
	UserID            string   `json:"user_id,omitempty"`
	AnonymousID       string   `json:"anonymous_id,omitempty"` // instead, of an anonymous session
	Principal         string   `json:"principal,omitempty"`
	Address           string   `json:"address,omitempty"`
	ProfessionalID    string   `json:"professional_id,omitempty"`    // of a professional session
	VerificationLevel string   `json:"verification_level,omitempty"` // likewise: verified while it lives
	AuthTime          string   `json:"auth_time"`
	IdleExpiresAt     string   `json:"idle_expires_at"`
	SessionExpiresAt  string   `json:"session_expires_at"`
}

// Invalidity is the data of a validate that is not 200.
type Invalidity struct {
	Valid  bool `json:"valid"`
	Reason Code `json:"reason"`
}

// RefreshRequest is the body of POST /sessions/refresh.
type RefreshRequest struct {
	RefreshToken string `json:"refresh_token,omitempty"` // left out with cookies
}

// LogoutRequest is the body of POST /sessions/logout; it may be left out.
type LogoutRequest struct {
	RefreshToken string `json:"refresh_token,omitempty"`
}

// Session is the specification's session object.
type Session struct {
	SessionID         string   `json:"session_id"`
	UserID            string   `json:"user_id,omitempty"`
	AnonymousID       string   `json:"anonymous_id,omitempty"` // instead, of an anonymous session
	ZKProof           string   `json:"zk_proof,omitempty"`     // the receipt of its proof, which itself is not kept
	Principal         string   `json:"principal,omitempty"`
	Address           string   `json:"address,omitempty"`
	ProfessionalID    string   `json:"professional_id,omitempty"`    // of a professional session
	VerificationLevel string   `json:"verification_level,omitempty"` // likewise: verified while it lives
	SessionType       string   `json:"session_type"`
	CreatedAt         string   `json:"created_at"`
	ExpiresAt         string   `json:"expires_at"`
	LastActivity      string   `json:"last_activity"`
	Permissions       []string `json:"permissions"`
	AuthTime          string   `json:"auth_time"`
	IdleExpiresAt     string   `json:"idle_expires_at"`
	SessionExpiresAt  string   `json:"session_expires_at"`
	DeviceLabel       string   `json:"device_label,omitempty"`
	Current           bool     `json:"current"`
	CSRFToken         string   `json:"csrf_token,omitempty"` // of GET /sessions/current with cookies
}

// SessionList is the data of GET /sessions.
type SessionList struct {
	Sessions []Session `json:"sessions"`
}

// EndCount is the data of DELETE /sessions.
type EndCount struct {
	Ended int `json:"ended"`
}

// SubjectEnd is the data of DELETE /operator/v1/subjects/{id}/sessions.
type SubjectEnd struct {
	Ended *int `json:"ended,omitempty"` // not told of a pseudonym
}

// AmendRequest is the body of PATCH /sessions/current.
type AmendRequest struct {
	Permissions *[]string `json:"permissions,omitempty"`
	DeviceLabel *string   `json:"device_label,omitempty"`
}

// Ends is the data of POST /sessions/activity.
type Ends struct {
	ExpiresAt        string `json:"expires_at"`
	IdleExpiresAt    string `json:"idle_expires_at"`
	SessionExpiresAt string `json:"session_expires_at"`
}

// ReauthenticateRequest is the body of POST /sessions/reauthenticate.
type ReauthenticateRequest struct {
	Credential string `json:"credential"`
}

// Group is the data of GET /anonymous/group: the newest snapshot of the members
// who can sign in anonymously. ServiceID, EpochLength and Key never change; a
// client keeps them, and refuses others. The snapshot's fields and what is
// signed: docs/decisions/2026-11-25-anonymous-values.md.
type Group struct {
	ServiceID   string   `json:"service_id"`
	EpochLength int64    `json:"epoch_length"` // seconds
	Key         string   `json:"key"`          // Ed25519, unpadded base64url
	Number      uint64   `json:"number"`
	Root        string   `json:"root"` // decimal
	Size        int      `json:"size"` // places, empty ones included
	Epoch       uint64   `json:"epoch"`
	CreatedAt   string   `json:"created_at"`
	Previous    string   `json:"previous"`
	Signature   string   `json:"signature"`
	Members     int      `json:"members"`
	PageRoots   []string `json:"page_roots"` // decimal, of 4096 places each
}

// Page is the data of GET /anonymous/pages/{root}: decimal commitments, "0" in
// an empty place.
type Page struct {
	Members []string `json:"members"`
}

// Roots is the data of GET /anonymous/roots: signed snapshots, oldest first, and
// what they are checked with, as in [Group].
type Roots struct {
	ServiceID   string            `json:"service_id"`
	EpochLength int64             `json:"epoch_length"`
	Key         string            `json:"key"`
	Roots       []json.RawMessage `json:"roots"`
}

// EnrolRequest is the body of POST /anonymous/members. Proof is a proof of
// possession, in the shape of @semaphore-protocol/proof.
type EnrolRequest struct {
	Commitment string          `json:"commitment"` // decimal
	Challenge  string          `json:"challenge"`  // its nonce
	Proof      json.RawMessage `json:"proof"`
}

// Membership is the answer of POST and DELETE /anonymous/members.
type Membership struct {
	Status string `json:"status"` // none, waiting, member, replacing or leaving
}

// Empty is the data of a call that has nothing to say, and the body of one
// that needs nothing.
type Empty struct{}
