package client

import (
	"slices"
	"time"

	"github.com/mentalverse/session/token"
)

// Session is what is known of a session that is valid: who it is for and what it
// may do. Of the subject's fields those of its type are filled in.
type Session struct {
	ID                string // public; opens nothing
	Type              string // standard, anonymous or professional
	UserID            string
	AnonymousID       string // instead, of an anonymous session
	Principal         string // of an Internet Computer account
	Address           string // of any other
	ProfessionalID    string
	VerificationLevel string
	AuthTime          time.Time // when its person last proved to be who they are
	ExpiresAt         time.Time // the end of the token that was shown
	SessionExpiresAt  time.Time // the absolute end of the session

	permissions []string // sorted; shared, so nobody may change it
}

// Has reports whether the session holds the permission. A permission that needs a
// fresh authentication is [Require]'s to ask for.
func (s *Session) Has(permission string) bool {
	_, ok := slices.BinarySearch(s.permissions, permission)
	return ok
}

// Permissions returns the session's permissions, sorted: a copy.
func (s *Session) Permissions() []string { return slices.Clone(s.permissions) }

// freshWithin reports whether the authentication is at most d old. One that is
// more than a minute in the future is of unknown age; that of an anonymous session
// is known by its bucket's beginning.
func (s *Session) freshWithin(d time.Duration, now time.Time) bool {
	unsure := time.Duration(0)
	if s.Type == "anonymous" {
		unsure = token.AnonymousBucket
	}
	age := now.Sub(s.AuthTime)
	return age >= -time.Minute && age-unsure <= d
}
