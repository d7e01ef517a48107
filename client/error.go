package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mentalverse/session/api"
)

// Error is a refusal with a code of the API. Message and Details may be shown to
// anyone; what it wraps besides is for the log. It wraps an [api.Error] too.
type Error struct {
	Code    api.Code
	Message string
	Details *api.ErrorDetails
	cause   error
}

// What a call can come to, for errors.Is. ErrUnavailable says nothing of the
// session: ask again.
var (
	ErrExpired          = &Error{Code: api.SessionExpired}
	ErrInvalid          = &Error{Code: api.SessionInvalid}
	ErrPermissionDenied = &Error{Code: api.PermissionDenied}
	ErrReauthentication = &Error{Code: api.ReauthenticationRequired}
	ErrUnavailable      = &Error{Code: api.Unavailable}
)

// Error returns the code, the message and the cause: text for a log.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Is reports whether the target is a refusal of the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// Unwrap returns the refusal as the API words it, and the cause.
func (e *Error) Unwrap() []error {
	shown := e.shown()
	if e.cause == nil {
		return []error{shown}
	}
	return []error{shown, e.cause}
}

func (e *Error) shown() *api.Error {
	return &api.Error{Code: e.Code, Message: e.Message, Details: e.Details}
}

// The reasons of session_expired.
const (
	reasonToken    = "token_expired"
	reasonIdle     = "idle_timeout"
	reasonAbsolute = "session_ended"
)

var (
	errInvalid      = &Error{Code: api.SessionInvalid, Message: "This session is not valid. Sign in again."}
	errTokenExpired = expired(reasonToken, "The session token's time is over. Refresh it.")
)

func expired(reason, message string) *Error {
	return &Error{Code: api.SessionExpired, Message: message, Details: &api.ErrorDetails{Reason: reason}}
}

// endedFor is the refusal of a session that ended for a reason of the feed's.
func endedFor(reason string) *Error {
	switch reason {
	case reasonIdle:
		return expired(reason, "The session ended because nobody was there for a while. Sign in again.")
	case reasonAbsolute:
		return expired(reason, "The session reached its end. Sign in again.")
	}
	return errInvalid
}

func denied(missing []string) *Error {
	return &Error{Code: api.PermissionDenied, Message: "This session lacks a permission.", Details: &api.ErrorDetails{Missing: missing}}
}

func stale(maxAge time.Duration) *Error {
	return &Error{
		Code: api.ReauthenticationRequired, Message: "This needs a fresh proof that it is you.",
		Details: &api.ErrorDetails{MaxAge: int(maxAge / time.Second)},
	}
}

func unavailable(cause error) *Error {
	return &Error{Code: api.Unavailable, Message: "The session cannot be checked right now. Try again shortly.", cause: cause}
}

var (
	errBlind    = unavailable(errors.New("the feed has not been heard for too long"))
	errClosed   = unavailable(errors.New("the client is closed"))
	errRestless = unavailable(errors.New("the session changed again and again while it was asked about"))
)

// status is the HTTP status of a code.
func (e *Error) status() int {
	switch e.Code {
	case api.SessionExpired, api.SessionInvalid, api.ReauthenticationRequired:
		return http.StatusUnauthorized
	case api.PermissionDenied, api.OriginDenied:
		return http.StatusForbidden
	case api.InvalidRequest:
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

// challenge is the WWW-Authenticate of a refusal, "" for none (RFC 6750 section
// 3, RFC 9470 section 3).
func (e *Error) challenge() string {
	switch e.Code {
	case api.SessionExpired, api.SessionInvalid:
		return `Bearer error="invalid_token"`
	case api.ReauthenticationRequired:
		challenge := `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required"`
		if e.Details != nil {
			challenge += fmt.Sprintf(`, max_age="%d"`, e.Details.MaxAge)
		}
		return challenge
	case api.PermissionDenied:
		challenge := `Bearer error="insufficient_scope"`
		if e.Details != nil && len(e.Details.Missing) > 0 {
			challenge += fmt.Sprintf(`, scope="%s"`, strings.Join(e.Details.Missing, " "))
		}
		return challenge
	case api.InvalidRequest:
		return `Bearer error="invalid_request"`
	}
	return ""
}
