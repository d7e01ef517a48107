package client

import (
	"slices"
	"time"
)

// Condition is what a caller asks of a session.
type Condition struct {
	permissions []string
	maxAge      time.Duration
	aged        bool
	background  bool
	cookie      string
}

// Require asks for permissions, of which the sensitive ones also need an
// authentication of the last 15 minutes (see [Sensitive]).
func Require(permissions ...string) Condition { return Condition{permissions: permissions} }

// MaxAge asks that the person proved to be who they are no longer ago than this.
// A negative one asks nothing.
func MaxAge(d time.Duration) Condition { return Condition{maxAge: d, aged: d >= 0} }

// Background says that no person stands behind the call: it keeps no session from
// its idle end. The middleware takes the request's field
// "Session-Activity: background" for it.
func Background() Condition { return Condition{background: true} }

// Cookie makes the middleware take the token from this cookie where the request
// has no Authorization: for services that keep a session token of the header's
// kind in a cookie of their own. The cookies of the session service itself open
// nothing here. Calls that change something must come from the same origin
// ([http.CrossOriginProtection]). For Verify it means nothing.
func Cookie(name string) Condition { return Condition{cookie: name} }

// freshAuthentication is how old the authentication behind the use of a sensitive
// permission may be.
const freshAuthentication = 15 * time.Minute

// met holds a session against the conditions, in the order of the session
// service: permissions, those that are sensitive, age.
func (c *Client) met(conditions []Condition, s *Session, now time.Time) *Error {
	var missing []string
	sensitive := false
	for i := range conditions {
		for _, p := range conditions[i].permissions {
			if !s.Has(p) {
				missing = append(missing, p)
			}
			sensitive = sensitive || slices.Contains(c.sensitive, p)
		}
	}
	switch {
	case missing != nil:
		slices.Sort(missing)
		return denied(slices.Compact(missing))
	case sensitive && !s.freshWithin(freshAuthentication, now):
		return stale(freshAuthentication)
	}
	for i := range conditions {
		if w := &conditions[i]; w.aged && !s.freshWithin(w.maxAge, now) {
			return stale(w.maxAge)
		}
	}
	return nil
}

func isBackground(conditions []Condition) bool {
	return slices.ContainsFunc(conditions, func(w Condition) bool { return w.background })
}
