package session

import (
	"errors"
	"fmt"
)

// The store's sentinel errors.
var (
	ErrNotFound  = errors.New("session: not found")
	ErrConflict  = errors.New("session: changed meanwhile")
	ErrNonceUsed = errors.New("session: challenge already used")
	ErrTaken     = errors.New("session: it is somebody else's already")
	ErrFull      = errors.New("session: the store has no room; it only ends sessions and takes rights away")
)

// Undecided is what a [Store] answers of a change that it has taken and whose
// outcome is not known yet when its caller stops waiting: it may still be done.
type Undecided struct {
	Outcome <-chan error // is told what came of it, once
	Cause   error        // of the caller's context
}

// Error tells that nobody knows.
func (u *Undecided) Error() string {
	return fmt.Sprintf("session: the store has not answered in time, and what it was given may still be done: %v", u.Cause)
}

// Unwrap returns the cause.
func (u *Undecided) Unwrap() error { return u.Cause }

// Code classes an [Error]; its text is stable and is what clients see.
type Code string

// The codes of the domain.
const (
	CodeExpired           Code = "session_expired"
	CodeInvalid           Code = "session_invalid"
	CodeRefreshFailed     Code = "refresh_failed"
	CodeRefreshSuperseded Code = "refresh_superseded"
	CodePermissionDenied  Code = "permission_denied"
	CodeInvalidRequest    Code = "invalid_request"
	CodeCredentialInvalid Code = "credential_invalid"
	CodeChallengeInvalid  Code = "challenge_invalid"
	CodeReauthentication  Code = "reauthentication_required"
	CodeNotFound          Code = "not_found"
	CodeUnavailable       Code = "unavailable"
)

// Error is a refusal. Message is safe to show to anyone; the cause is for the
// log only.
type Error struct {
	Code    Code
	Message string
	Reason  string   // of CodeExpired: token_expired, idle_timeout, session_ended
	Missing []string // of CodePermissionDenied: the permissions that lack
	MaxAge  int      // of CodeReauthentication: seconds the authentication may be old
	cause   error
}

// Error returns the code, the message and the cause: text for a log.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Refuse returns an Error with a code, a message safe to show and a cause for
// the log, which may be nil.
func Refuse(code Code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, cause: cause}
}

// CodeOf returns the code of err. What is not an [Error] is unknown, and
// unknown is CodeUnavailable.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeUnavailable
}

// CodeMessage returns what may be shown of err: the message of an [Error].
func CodeMessage(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "The service cannot answer right now."
}

// The reasons of CodeExpired that are no EndReason.
const ReasonTokenExpired = "token_expired"

func expired(reason string) *Error {
	m := map[string]string{
		ReasonTokenExpired:  "The session token's time is over. Refresh it.",
		string(EndIdle):     "The session ended because nobody was there for a while. Sign in again.",
		string(EndAbsolute): "The session reached its end. Sign in again.",
	}[reason]
	return &Error{Code: CodeExpired, Message: m, Reason: reason}
}

// errInvalid is the one answer to unknown, malformed and revoked alike.
func errInvalid(cause error) *Error {
	return Refuse(CodeInvalid, "This session is not valid. Sign in again.", cause)
}

func unavailable(cause error) *Error {
	return Refuse(CodeUnavailable, "The service cannot answer right now. Try again shortly.", cause)
}
