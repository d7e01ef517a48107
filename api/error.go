package api

// Code is a stable error code of the HTTP API.
type Code string

// The codes. NetworkError is the client's own and never sent.
const (
	SessionExpired           Code = "session_expired"
	SessionInvalid           Code = "session_invalid"
	RefreshFailed            Code = "refresh_failed"
	RefreshSuperseded        Code = "refresh_superseded"
	PermissionDenied         Code = "permission_denied"
	NetworkError             Code = "network_error"
	InvalidRequest           Code = "invalid_request"
	CredentialInvalid        Code = "credential_invalid"
	ChallengeInvalid         Code = "challenge_invalid"
	ReauthenticationRequired Code = "reauthentication_required"
	NotFound                 Code = "not_found"
	MethodNotAllowed         Code = "method_not_allowed"
	PayloadTooLarge          Code = "payload_too_large"
	UnsupportedMediaType     Code = "unsupported_media_type"
	OriginDenied             Code = "origin_denied"
	RateLimited              Code = "rate_limited"
	Unavailable              Code = "unavailable"
)

// Error is the error of an envelope.
type Error struct {
	Code    Code          `json:"code"`
	Message string        `json:"message"`
	Details *ErrorDetails `json:"details,omitempty"`
}

// ErrorDetails help a client act on a refusal.
type ErrorDetails struct {
	Reason  string   `json:"reason,omitempty"`  // of session_expired and refresh_failed
	Missing []string `json:"missing,omitempty"` // of permission_denied
	MaxAge  int      `json:"max_age,omitempty"` // of reauthentication_required, in seconds
	// CSRFToken comes with token_expired of GET /sessions/current by cookie: a
	// page that was loaded anew needs it to refresh.
	CSRFToken string `json:"csrf_token,omitempty"`
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }
