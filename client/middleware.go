package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/mentalverse/session/api"
)

type sessionKey struct{}

// FromContext returns the session that the middleware found to be valid.
func FromContext(ctx context.Context) (Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(*Session)
	if !ok {
		return Session{}, false
	}
	return *s, true
}

// Middleware lets requests through to a handler whose token opens a session that
// meets the conditions; [FromContext] then has it. The token is the Bearer of
// Authorization (RFC 6750 section 2.1), or that of [Cookie]. All others are refused
// in the session service's own envelope, with its codes and WWW-Authenticate (RFC
// 6750 section 3, RFC 9470 section 3); what is unknown is 503.
func (c *Client) Middleware(conditions ...Condition) func(http.Handler) http.Handler {
	conditions = slices.Clone(conditions)
	cookie := ""
	for _, w := range conditions {
		if w.cookie != "" {
			cookie = w.cookie
		}
	}
	background := append(slices.Clip(conditions), Background())
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked := conditions
			if r.Header.Get("Session-Activity") == "background" {
				asked = background
			}
			raw, err := shown(r, cookie)
			if err == nil {
				var s Session
				if s, err = c.Verify(r.Context(), raw, asked...); err == nil {
					next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, &s)))
					return
				}
			}
			WriteError(w, err)
		})
	}
}

var (
	errNoToken = &Error{Code: api.SessionInvalid, Message: "Send the session token.", cause: errAbsent}
	errTwice   = &Error{Code: api.InvalidRequest, Message: "Send the session token once."}
	errOrigin  = &Error{Code: api.OriginDenied, Message: "This page may not make the call."}
	errAbsent  = errors.New("no token was sent")
)

var sameOrigin = http.NewCrossOriginProtection()

// shown returns the token of a request.
func shown(r *http.Request, cookie string) (string, error) {
	fields := r.Header["Authorization"]
	var cookies []*http.Cookie
	if cookie != "" {
		cookies = r.CookiesNamed(cookie)
	}
	switch {
	case len(fields)+len(cookies) > 1:
		return "", errTwice
	case len(fields) == 1:
		scheme, raw, _ := strings.Cut(fields[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || raw == "" {
			return "", errNoToken
		}
		return raw, nil
	case len(cookies) == 0 || cookies[0].Value == "":
		return "", errNoToken
	case sameOrigin.Check(r) != nil:
		return "", errOrigin
	}
	return cookies[0].Value, nil
}

// WriteError answers a request with what Verify came to, as the middleware does.
// What is not an [Error] is unavailable.
func WriteError(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = unavailable(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	challenge := e.challenge()
	if errors.Is(err, errAbsent) {
		challenge = "Bearer" // nothing was wrong with a token (RFC 6750 section 3.1)
	}
	if challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	}
	status := e.status()
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(api.Envelope[api.Empty]{Error: e.shown()})
}
