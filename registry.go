package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Professional returns an entry of the registry. CodeNotFound when there is
// none.
func (s *Service) Professional(ctx context.Context, id string) (Registrant, error) {
	p, err := s.store.Professional(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return p, Refuse(CodeNotFound, "There is no such professional.", err)
	}
	if err != nil {
		return p, unavailable(err)
	}
	return p, nil
}

// Professionals returns up to limit entries behind the one with the id after,
// by their ids.
func (s *Service) Professionals(ctx context.Context, after string, limit int) ([]Registrant, error) {
	list, err := s.store.Professionals(ctx, after, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return list, nil
}

// LicenceHolder returns the entry that a licence belongs to. CodeNotFound when
// it is nobody's.
func (s *Service) LicenceHolder(ctx context.Context, authority, number string) (Registrant, error) {
	p, err := s.store.LicenceHolder(ctx, authority, number)
	if errors.Is(err, ErrNotFound) {
		return p, Refuse(CodeNotFound, "There is no such licence.", err)
	}
	if err != nil {
		return p, unavailable(err)
	}
	return p, nil
}

// AddProfessional puts a new entry into the registry and returns it with its id.
// A licence without a status is pending. CodeInvalidRequest when a licence or an
// account is another's.
func (s *Service) AddProfessional(ctx context.Context, p Registrant, by Act) (Registrant, error) {
	if err := by.check(); err != nil {
		return Registrant{}, err
	}
	p, err := s.entry(Registrant{ID: NewProfessionalID()}, p)
	if err != nil {
		return Registrant{}, err
	}
	return p, s.settleEntry(s.commit(ctx, Change{Professionals: []Registrant{p}, Records: []Record{s.entryRecord(ActionAddition, &Registrant{}, &p, by)}}))
}

// entry is what before becomes when it is to be like after.
func (s *Service) entry(before, after Registrant) (Registrant, error) {
	after = after.Clone()
	after.ID, after.Version = before.ID, before.Version
	for i := range after.Licences {
		l := &after.Licences[i]
		if l.Status == "" {
			l.Status = LicencePending
		}
		was := before.licence(l.Key())
		l.Announced = was != nil && was.Announced && was.ValidUntil.Equal(l.ValidUntil)
	}
	for _, a := range after.Accounts {
		if slices.Contains(before.Accounts, a) {
			continue
		}
		// What no wallet could sign with would never be found out.
		if _, err := s.verifier.Ask(Challenge{Type: Professional, Account: a}); err != nil {
			return Registrant{}, err
		}
	}
	return after, after.Check()
}

// ChangeProfessional changes an entry. Where that takes a right away, the live
// sessions that stood on it end in the same commit: a refresh or a sign-in under
// way is decided anew. change may be called more than once.
func (s *Service) ChangeProfessional(ctx context.Context, id string, by Act, change func(Registrant) (Registrant, error)) (Registrant, error) {
	return s.changeEntry(ctx, ActionProfessional, by, change, func() (Registrant, error) { return s.Professional(ctx, id) })
}

func (s *Service) changeEntry(ctx context.Context, action Action, by Act, change func(Registrant) (Registrant, error), read func() (Registrant, error)) (Registrant, error) {
	if err := by.check(); err != nil {
		return Registrant{}, err
	}
	for range maxAttempts {
		before, err := read()
		if err != nil {
			return Registrant{}, err
		}
		after, err := change(before.Clone())
		if err != nil {
			return Registrant{}, err
		}
		if after, err = s.entry(before, after); err != nil {
			return Registrant{}, err
		}
		c := Change{
			Professionals: []Registrant{after}, Records: []Record{s.entryRecord(action, &before, &after, by)},
			Urgent: action == ActionSuspend || action == ActionRevokeLicence,
		}
		if err := s.endLost(ctx, &c, &before, &after); err != nil {
			return Registrant{}, unavailable(err)
		}
		err = s.commit(ctx, c)
		if errors.Is(err, ErrConflict) {
			continue
		}
		return after, s.settleEntry(err)
	}
	return Registrant{}, unavailable(errContention)
}

// entryRecord is the trace of an act on an entry, with what it changed.
func (s *Service) entryRecord(a Action, before, after *Registrant, by Act) Record {
	r := s.record(a, after.ID, by)
	r.Changed = strings.Join(after.changed(before), " ")
	return r
}

// endLost puts the ends of the sessions that lose their right into a change.
func (s *Service) endLost(ctx context.Context, c *Change, before, after *Registrant) error {
	now := s.now()
	for _, account := range before.Accounts {
		if !after.lost(before, account, now) {
			continue
		}
		userID, err := s.store.UserOf(ctx, account)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		roster, err := s.store.Roster(ctx, userID)
		if err != nil {
			return err
		}
		for _, id := range roster.Sessions {
			row, err := s.session(ctx, id)
			if errors.Is(err, ErrNotFound) || err == nil && (!row.Alive(now) || row.Subject.Professional != before.ID || row.Subject.Account != account) {
				continue
			}
			if err != nil {
				return err
			}
			ended := row.end(EndLicenceChanged, now)
			c.Update = append(c.Update, ended)
			c.note(EventEnded, ActionEnd, ended, now, "")
		}
	}
	return nil
}

// settleEntry says what became of an entry's commit.
func (s *Service) settleEntry(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrTaken):
		return Refuse(CodeInvalidRequest, "A licence or an account of these is another professional's.", err)
	}
	return unavailable(err)
}

// practise bounds a new session by its account's licence. Of its commit and a
// change of the licence one is decided anew.
func (s *Service) practise(ctx context.Context, c *Change, row *Session) error {
	p, err := s.store.ProfessionalOf(ctx, row.Subject.Account)
	if errors.Is(err, ErrNotFound) {
		return Refuse(CodePermissionDenied, "This account is no professional's.", nil)
	}
	if err != nil {
		return unavailable(err)
	}
	now := s.now()
	if p.Review {
		e := Refuse(CodePermissionDenied, "The licence behind this account waits for review.", nil)
		e.Reason = string(LevelPending)
		return e
	}
	if level := p.Level(now); level != LevelVerified {
		e := Refuse(CodePermissionDenied, "The licence behind this account is "+string(level)+".", nil)
		e.Reason = string(level)
		return e
	}
	row.Subject.Professional = p.ID
	if end := p.Until(now); end.Before(row.AbsoluteEnd) {
		row.AbsoluteEnd = end
	}
	if row.ExpiresAt.After(row.AbsoluteEnd) {
		row.ExpiresAt = row.AbsoluteEnd
	}
	c.Holds = &Hold{Professional: p.ID, Version: p.Version}
	return nil
}

// licenceNotice is how long before its end a licence's is announced.
const licenceNotice = 30 * 24 * time.Hour

// LicenceEnd returns when the licence that a professional session stands on ends,
// if that is near: within thirty days. Zero otherwise.
func (s *Service) LicenceEnd(ctx context.Context, row Session) (time.Time, error) {
	if row.Type != Professional {
		return time.Time{}, nil
	}
	p, err := s.store.Professional(ctx, row.Subject.Professional)
	if err != nil {
		return time.Time{}, unavailable(err)
	}
	now := s.now()
	if end := p.Until(now); !now.Before(end.Add(-licenceNotice)) {
		return end, nil
	}
	return time.Time{}, nil
}

// licencePage is how many entries are looked at in one go.
const licencePage = 1000

// announceLicences commits an event for every verified licence whose end has
// come near, once.
func (s *Service) announceLicences(ctx context.Context) error {
	for after := ""; ; {
		list, err := s.store.Professionals(ctx, after, licencePage)
		if err != nil || len(list) == 0 {
			return err
		}
		now := s.now()
		for _, p := range list {
			after = p.ID
			next := p.Clone()
			for i := range next.Licences {
				l := &next.Licences[i]
				if near := !now.Before(l.ValidUntil.Add(-licenceNotice)); near && l.level(now) == LevelVerified {
					l.Announced = true
				}
			}
			if slices.Equal(next.Licences, p.Licences) {
				continue
			}
			c := Change{Professionals: []Registrant{next}, Events: []Event{{Kind: EventLicenceExpiring, At: now.UTC().Truncate(time.Millisecond), SubjectID: p.ID}}}
			if err := s.commit(ctx, c); err != nil && !errors.Is(err, ErrConflict) { // it will be looked at again
				return err
			}
		}
	}
}
