package session

import (
	"context"
	"errors"
	"slices"
	"time"
)

// EraseUser forgets a user: accounts, sessions, what they have in the group and
// in the registry. Events and the audit trail keep the user's id, which is
// random and from then on names nobody. Whoever signs in with one of the
// accounts again is somebody new. CodeNotFound when there is no such user.
//
// A backup that was made before has all of it until it is deleted; see
// [Service.EraseAgain].
func (s *Service) EraseUser(ctx context.Context, userID string, by Act) error {
	if err := by.check(); err != nil {
		return err
	}
	for range maxAttempts {
		c, err := s.erasure(ctx, userID, by)
		if err != nil {
			return err
		}
		err = s.commit(ctx, c)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return unavailable(err)
		}
	}
	return unavailable(errContention)
}

func (s *Service) erasure(ctx context.Context, userID string, by Act) (Change, error) {
	now := s.now()
	accounts, err := s.store.AccountsOf(ctx, userID)
	if err != nil {
		return Change{}, unavailable(err)
	}
	if len(accounts) == 0 {
		return Change{}, Refuse(CodeNotFound, "There is no such user.", nil)
	}
	roster, err := s.store.Roster(ctx, userID)
	if err != nil {
		return Change{}, unavailable(err)
	}
	// By the roster's version a sign-in under way is decided anew, as a stranger's.
	c := Change{Roster: &roster, Erase: userID}
	if err := s.endRoster(ctx, &c, roster, now); err != nil {
		return Change{}, unavailable(err)
	}
	if err := s.eraseMember(ctx, &c, userID, now); err != nil {
		return Change{}, unavailable(err)
	}
	for _, account := range accounts {
		if err := s.eraseRegistrant(ctx, &c, account); err != nil {
			return Change{}, unavailable(err)
		}
	}
	c.Records = append(c.Records, s.record(ActionErase, userID, by))
	return c, nil
}

// eraseMember takes the user's name off a commitment. One that is in the group
// stays until the epoch is over, as everybody's who leaves, and is nobody's.
func (s *Service) eraseMember(ctx context.Context, c *Change, userID string, now time.Time) error {
	m, err := s.store.Member(ctx, userID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	gone := m
	gone.Current, gone.Next = Commitment{}, Commitment{}
	c.Members = append(c.Members, gone)
	if m.Entered {
		nobody := Member{UserID: NewUserID(), Current: m.Current, Entered: true}
		c.Members = append(c.Members, nobody.leave(now))
	}
	return nil
}

// eraseRegistrant takes the account out of the registry. The licence stays: it is
// the authority's word, not the user's.
func (s *Service) eraseRegistrant(ctx context.Context, c *Change, account Account) error {
	p, err := s.store.ProfessionalOf(ctx, account)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range c.Professionals { // another account of theirs
		if c.Professionals[i].ID == p.ID {
			c.Professionals[i].Accounts = slices.DeleteFunc(c.Professionals[i].Accounts, func(a Account) bool { return a == account })
			return nil
		}
	}
	p.Accounts = slices.DeleteFunc(p.Accounts, func(a Account) bool { return a == account })
	c.Professionals = append(c.Professionals, p)
	return nil
}
