package session

import (
	"fmt"
	"maps"
	"time"

	"github.com/mentalverse/session/token"
)

// Policy is the limits of one session type.
type Policy struct {
	TokenLife    time.Duration // default and most of one session token
	AbsoluteLife time.Duration // from creation
	IdleLife     time.Duration // without a sign of the person
	Permissions  Permissions   // what it may ask for, and gets when it does not ask
	Sensitive    Permissions   // of these, what needs an authentication of FreshAuthentication
	MaxLive      int           // live sessions of one subject at once
	Reporting    bool          // refuse clients that do not report activity
}

// Policies holds the policy of each type.
type Policies map[Type]Policy

// FreshAuthentication is how old the authentication behind a request for more
// permissions may be.
const FreshAuthentication = 15 * time.Minute

// idleSlack is what the server adds to the idle time a client asks its person
// after, so that the answer is not late (30 min + 5).
const idleSlack = 5 * time.Minute

// MinTokenLife is the shortest life a client may ask for. An anonymous session
// lives from the beginning of its bucket on, and needs two buckets.
const MinTokenLife = time.Minute

func (t Type) minTokenLife() time.Duration {
	if t == Anonymous {
		return 2 * t.grain()
	}
	return MinTokenLife
}

// DefaultPolicies returns the built-in policies.
func DefaultPolicies() Policies {
	return Policies{
		Standard: {
			TokenLife: 12 * time.Hour, AbsoluteLife: 24 * time.Hour, IdleLife: 30*time.Minute + idleSlack, MaxLive: 10,
			Permissions: NewPermissions("read:profile", "write:messages", "join:groups", "book:sessions"),
		},
		Anonymous: {
			TokenLife: 4 * time.Hour, AbsoluteLife: 12 * time.Hour, IdleLife: 30*time.Minute + idleSlack, MaxLive: 3,
			Permissions: NewPermissions("read:public_content", "join:anonymous_groups", "use:ai_bots"),
		},
		Professional: {
			TokenLife: 24 * time.Hour, AbsoluteLife: 24 * time.Hour, IdleLife: 30*time.Minute + idleSlack, MaxLive: 5,
			Permissions: NewPermissions("read:all_profiles", "write:therapy_notes", "manage:sessions", "access:professional_tools"),
			Sensitive:   NewPermissions("read:all_profiles", "write:therapy_notes", "manage:sessions"),
		},
	}
}

// StrictPolicies returns the built-in policies tightened to the session limits
// of NIST SP 800-63B-4 AAL3: 12 hours, 15 minutes of inactivity, tokens of at
// most five minutes (anonymous ones of ten, of which up to five are over when
// they are made), and only clients that report their person's activity.
func StrictPolicies() Policies {
	strict := DefaultPolicies()
	for t, p := range strict {
		p.TokenLife = max(5*time.Minute, t.minTokenLife())
		p.AbsoluteLife = 12 * time.Hour
		p.IdleLife = 15 * time.Minute
		p.Reporting = true
		strict[t] = p
	}
	return strict
}

// Clone returns a copy that may be changed.
func (p Policies) Clone() Policies { return maps.Clone(p) }

// Check tells the first limit that makes no sense, by type and name.
func (p Policies) Check() error {
	for _, t := range Types {
		l, ok := p[t]
		switch {
		case !ok:
			return fmt.Errorf("policy %s: missing", t)
		case l.TokenLife < t.minTokenLife():
			return fmt.Errorf("policy %s: token life %s is shorter than %s", t, l.TokenLife, t.minTokenLife())
		case l.AbsoluteLife < l.TokenLife:
			return fmt.Errorf("policy %s: absolute life %s is shorter than the token life %s", t, l.AbsoluteLife, l.TokenLife)
		case l.AbsoluteLife > MaxAbsoluteLife:
			return fmt.Errorf("policy %s: absolute life %s is longer than %s", t, l.AbsoluteLife, MaxAbsoluteLife)
		case l.IdleLife < MinTokenLife:
			return fmt.Errorf("policy %s: idle life %s is shorter than %s", t, l.IdleLife, MinTokenLife)
		case l.MaxLive < 1 || l.MaxLive > 1000:
			return fmt.Errorf("policy %s: %d live sessions is not between 1 and 1000", t, l.MaxLive)
		}
		size := 0
		for _, name := range l.Permissions {
			if !token.IsWord(name) {
				return fmt.Errorf("policy %s: %q is not a permission's name: visible ASCII without spaces, quotes and backslashes", t, name)
			}
			size += len(name) + 1
		}
		if size > maxPermissions {
			return fmt.Errorf("policy %s: its permissions' names take more than %d bytes, which no token can carry", t, maxPermissions)
		}
	}
	return nil
}

// maxPermissions bounds the names of a type's permissions together, in bytes, so
// that every session token fits its 4096.
const maxPermissions = 1024

// MaxAbsoluteLife bounds what a configuration may ask for. Stores find live
// and forgotten sessions by the time in their ids, so there must be a bound.
const MaxAbsoluteLife = 30 * 24 * time.Hour

// narrow returns the permissions and the token life a request gets: never more
// than the policy. asked nil means all; a zero duration means the most. An
// anonymous token's life is cut to the grain of its times: an odd one would be a
// mark of whoever asked for it.
func (p Policy) narrow(t Type, asked []string, duration time.Duration) (Permissions, time.Duration, error) {
	perms := p.Permissions
	if asked != nil {
		perms = NewPermissions(asked...)
	}
	if missing := p.Permissions.Lacking(perms...); missing != nil {
		return nil, 0, denied(missing)
	}
	switch {
	case duration == 0:
		duration = p.TokenLife
	case duration < t.minTokenLife():
		return nil, 0, Refuse(CodeInvalidRequest, fmt.Sprintf("duration is at least %d seconds", int(t.minTokenLife()/time.Second)), nil)
	}
	return perms, min(duration, p.TokenLife).Truncate(t.grain()), nil
}

func denied(missing []string) *Error {
	return &Error{Code: CodePermissionDenied, Message: "This session lacks a permission.", Missing: missing}
}
