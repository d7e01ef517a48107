package session

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mentalverse/session/token"
)

// Registrant is an entry of the registry: a person who holds licences, and
// the accounts that are theirs. What they may do now follows from the licences;
// it is stored nowhere else.
type Registrant struct {
	ID       string // "lic_" and 128 random bits
	Accounts []Account
	Licences []Licence
	Review   bool   // until somebody confirms it nobody signs in by it; see Service.Confirm
	Version  uint64 // as of a session; 0 for a new one
}

// Licence is one authority's word that a person may practise.
type Licence struct {
	Number       string
	Authority    string // who issued it
	Jurisdiction string // where it counts, such as DE-BY or US-CA
	Status       LicenceStatus
	ValidUntil   time.Time // UTC, whole seconds: from then on it is expired
	Announced    bool      // its coming end was
}

// LicenceStatus is what an operator knows of a licence.
type LicenceStatus string

// The statuses of a licence.
const (
	LicencePending   LicenceStatus = "pending" // nobody has looked at it yet
	LicenceVerified  LicenceStatus = "verified"
	LicenceSuspended LicenceStatus = "suspended" // may come back
	LicenceRevoked   LicenceStatus = "revoked"
)

// Valid reports whether s is one of the statuses.
func (s LicenceStatus) Valid() bool {
	return s == LicencePending || s == LicenceVerified || s == LicenceSuspended || s == LicenceRevoked
}

// Level is what a professional may be taken for. Only LevelVerified signs in.
type Level string

// The levels of a professional.
const (
	LevelPending   Level = "pending"
	LevelVerified  Level = "verified"
	LevelSuspended Level = "suspended"
	LevelRevoked   Level = "revoked"
	LevelExpired   Level = "expired"
)

// Key names the licence: a number is its authority's own.
func (l *Licence) Key() string { return strconv.Quote(l.Authority) + " " + strconv.Quote(l.Number) }

// level is the licence's at a time.
func (l *Licence) level(now time.Time) Level {
	if l.Status == LicenceVerified && !now.Before(l.ValidUntil) {
		return LevelExpired
	}
	return Level(l.Status)
}

// licence returns the licence with a key, nil if there is none.
func (p *Registrant) licence(key string) *Licence {
	for i := range p.Licences {
		if p.Licences[i].Key() == key {
			return &p.Licences[i]
		}
	}
	return nil
}

// levelOrder are the levels by how much they say: the first that a licence of
// theirs has is the professional's.
var levelOrder = []Level{LevelVerified, LevelSuspended, LevelRevoked, LevelExpired, LevelPending}

// Level is the professional's at a time: verified with one licence that is,
// whatever the others are, but pending while the entry waits for review.
func (p *Registrant) Level(now time.Time) Level {
	for _, want := range levelOrder {
		for i := range p.Licences {
			if p.Licences[i].level(now) == want {
				if p.Review && want == LevelVerified {
					return LevelPending
				}
				return want
			}
		}
	}
	return LevelPending
}

// Until is the end of the last licence that is verified at a time; zero if none
// is, or while the entry waits for review.
func (p *Registrant) Until(now time.Time) (end time.Time) {
	if p.Review {
		return end
	}
	for i := range p.Licences {
		if l := &p.Licences[i]; l.level(now) == LevelVerified && l.ValidUntil.After(end) {
			end = l.ValidUntil
		}
	}
	return end
}

// Clone returns a copy that may be changed.
func (p Registrant) Clone() Registrant {
	p.Accounts, p.Licences = slices.Clone(p.Accounts), slices.Clone(p.Licences)
	return p
}

// NewProfessionalID returns a fresh random id.
func NewProfessionalID() string {
	var b [16]byte
	rand.Read(b[:])
	return professionalPrefix + lowerBase32.EncodeToString(b[:])
}

const professionalPrefix = "lic_"

// Bounds of an entry of the registry.
const (
	MaxLicences     = 20
	MaxAccounts     = 20
	maxLicenceField = 128 // bytes
	maxAddress      = 128
)

// Check tells what is wrong with an entry, by the field's name.
func (p *Registrant) Check() error {
	if len(p.Licences) == 0 || len(p.Licences) > MaxLicences {
		return refuseEntry("a professional holds 1 to %d licences", MaxLicences)
	}
	if len(p.Accounts) > MaxAccounts {
		return refuseEntry("a professional has at most %d accounts", MaxAccounts)
	}
	seen := map[string]bool{}
	for i := range p.Licences {
		l := &p.Licences[i]
		for _, f := range []struct{ name, value string }{{"number", l.Number}, {"authority", l.Authority}, {"jurisdiction", l.Jurisdiction}} {
			if !isPlainText(f.value, maxLicenceField) {
				return refuseEntry("%s is 1 to %d bytes of printable text without spaces around it", f.name, maxLicenceField)
			}
		}
		switch {
		case !l.Status.Valid():
			return refuseEntry("status is pending, verified, suspended or revoked")
		case l.ValidUntil.IsZero() || l.ValidUntil.Nanosecond() != 0 || l.ValidUntil.Year() > 9999 || l.ValidUntil.Unix() < 0:
			return refuseEntry("valid_until is a time between 1970 and 9999, in whole seconds")
		case seen[l.Key()]:
			return refuseEntry("licence %s of %s is there twice", l.Number, l.Authority)
		}
		seen[l.Key()] = true
	}
	for _, a := range p.Accounts {
		if a.Chain == "" || !token.IsWord(string(a.Chain)) || !token.IsWord(a.Address) || len(a.Address) > maxAddress || seen[a.String()] {
			return refuseEntry("an account is a chain and an address in its canonical form, each once")
		}
		seen[a.String()] = true
	}
	return nil
}

// isPlainText reports whether a text is printable, at most so many bytes, and
// neither empty nor with spaces around it.
func isPlainText(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && s == strings.TrimSpace(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func refuseEntry(format string, args ...any) error {
	return Refuse(CodeInvalidRequest, fmt.Sprintf(format, args...)+".", nil)
}

// lost reports whether somebody may no longer do what they might before: their
// right is gone, ends sooner, or is no more an account's.
func (p *Registrant) lost(before *Registrant, account Account, now time.Time) bool {
	return p.Until(now).Before(before.Until(now)) || !slices.Contains(p.Accounts, account)
}

// changed names the fields in which an entry differs from what it was, in this
// order: accounts, licences (some came or went), jurisdiction, status and
// valid_until of a licence that stays, review.
func (p *Registrant) changed(before *Registrant) (names []string) {
	came := len(p.Licences) != len(before.Licences)
	var jurisdiction, status, until bool
	for i := range p.Licences {
		l := &p.Licences[i]
		was := before.licence(l.Key())
		if was == nil {
			came = true
			continue
		}
		jurisdiction = jurisdiction || l.Jurisdiction != was.Jurisdiction
		status = status || l.Status != was.Status
		until = until || !l.ValidUntil.Equal(was.ValidUntil)
	}
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"accounts", !slices.Equal(p.Accounts, before.Accounts)}, {"licences", came}, {"jurisdiction", jurisdiction},
		{"status", status}, {"valid_until", until}, {"review", p.Review != before.Review},
	} {
		if f.is {
			names = append(names, f.name)
		}
	}
	return names
}
