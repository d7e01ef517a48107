package session

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ParseValidUntil reads the end of a licence: a time of RFC 3339, or a date, of
// which the whole day in UTC still counts.
func ParseValidUntil(text string) (time.Time, error) {
	var at time.Time
	if at.UnmarshalText([]byte(text)) == nil { // strict, unlike time.Parse
		return at.UTC(), nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return at, refuseEntry("valid_until is a date such as 2027-12-31 or a time such as 2027-12-31T12:00:00Z")
	}
	return at.AddDate(0, 0, 1), nil
}

// LicenceAct is what an operator does to the status of one licence.
type LicenceAct string

// The acts. What was suspended or revoked comes back by LicenceReinstate alone.
const (
	LicenceVerify    LicenceAct = "verify"
	LicenceSuspend   LicenceAct = "suspend"
	LicenceRevoke    LicenceAct = "revoke"
	LicenceReinstate LicenceAct = "reinstate"
)

// licenceActs tell from which statuses an act leads to which.
var licenceActs = map[LicenceAct]struct {
	from   []LicenceStatus
	to     LicenceStatus
	action Action
}{
	LicenceVerify:    {[]LicenceStatus{LicencePending, LicenceVerified}, LicenceVerified, ActionVerify},
	LicenceSuspend:   {[]LicenceStatus{LicencePending, LicenceVerified, LicenceSuspended}, LicenceSuspended, ActionSuspend},
	LicenceRevoke:    {[]LicenceStatus{LicencePending, LicenceVerified, LicenceSuspended, LicenceRevoked}, LicenceRevoked, ActionRevokeLicence},
	LicenceReinstate: {[]LicenceStatus{LicenceSuspended, LicenceRevoked}, LicenceVerified, ActionReinstate},
}

var errDamagedEntry = errors.New("session: an entry of the registry has not the licence it was found by")

// ActOnLicence changes the status of a licence and returns its holder's entry.
// Sessions that lose their right by it end in the same commit. To do again what
// was done is no error, and is recorded.
func (s *Service) ActOnLicence(ctx context.Context, authority, number string, act LicenceAct, by Act) (Registrant, error) {
	a, ok := licenceActs[act]
	if !ok {
		return Registrant{}, Refuse(CodeInvalidRequest, "An act is verify, suspend, revoke or reinstate.", nil)
	}
	key := (&Licence{Authority: authority, Number: number}).Key()
	return s.changeEntry(ctx, a.action, by, func(p Registrant) (Registrant, error) {
		l := p.licence(key)
		if l == nil {
			return p, unavailable(errDamagedEntry)
		}
		if !slices.Contains(a.from, l.Status) {
			return p, Refuse(CodeInvalidRequest, "The licence is "+string(l.Status)+"; "+string(act)+" does not lead from there.", nil)
		}
		l.Status = a.to
		return p, nil
	}, func() (Registrant, error) { return s.LicenceHolder(ctx, authority, number) })
}

// ProfessionalChange replaces an entry's accounts or licences, or both; what is
// nil stays. A licence that is there already keeps its status, or comes with the
// same: statuses change by an act of their own.
type ProfessionalChange struct {
	Accounts *[]Account
	Licences *[]Licence
}

// AmendProfessional changes an entry as [Service.ChangeProfessional] does.
func (s *Service) AmendProfessional(ctx context.Context, id string, to ProfessionalChange, by Act) (Registrant, error) {
	return s.ChangeProfessional(ctx, id, by, func(p Registrant) (Registrant, error) {
		if to.Accounts != nil {
			p.Accounts = *to.Accounts
		}
		if to.Licences == nil {
			return p, nil
		}
		licences := slices.Clone(*to.Licences)
		for i := range licences {
			was := p.licence(licences[i].Key())
			switch {
			case was == nil:
			case licences[i].Status == "":
				licences[i].Status = was.Status
			case licences[i].Status != was.Status:
				return p, refuseEntry("licence %s of %s is %s: verify, suspend, revoke or reinstate change that", was.Number, was.Authority, was.Status)
			}
		}
		p.Licences = licences
		return p, nil
	})
}
