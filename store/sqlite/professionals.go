package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

const professionalColumns = "id,version,accounts,licences,review"

func scanProfessional(st *sqlite3.Stmt) (p session.Registrant, err error) {
	p.ID, p.Version, p.Review = st.ColumnText(0), uint64(st.ColumnInt64(1)), st.ColumnBool(4)
	err = errors.Join(json.Unmarshal(st.ColumnRawText(2), &p.Accounts), json.Unmarshal(st.ColumnRawText(3), &p.Licences))
	if err != nil {
		err = fmt.Errorf("sqlite: professional %s is damaged: %w", p.ID, err)
	}
	return p, err
}

// Professional implements session.Store.
func (s *Store) Professional(ctx context.Context, id string) (p session.Registrant, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		p, err = readProfessional(c, id)
		return err
	})
	return p, err
}

func readProfessional(c *conn, id string) (p session.Registrant, err error) {
	err = c.rows("SELECT "+professionalColumns+" FROM professionals WHERE id=?", func(st *sqlite3.Stmt) (err error) {
		p, err = scanProfessional(st)
		return err
	}, id)
	if err == nil && p.ID == "" {
		err = session.ErrNotFound
	}
	return p, err
}

// ProfessionalOf implements session.Store.
func (s *Store) ProfessionalOf(ctx context.Context, account session.Account) (session.Registrant, error) {
	return s.claimant(ctx, claimOf(account))
}

// LicenceHolder implements session.Store.
func (s *Store) LicenceHolder(ctx context.Context, authority, number string) (session.Registrant, error) {
	return s.claimant(ctx, claimOfLicence(&session.Licence{Authority: authority, Number: number}))
}

func (s *Store) claimant(ctx context.Context, claim string) (p session.Registrant, err error) {
	err = s.read(ctx, func(c *conn) error {
		err := c.rows("SELECT "+professionalColumns+" FROM professionals WHERE id=(SELECT professional FROM professional_claims WHERE claim=?)",
			func(st *sqlite3.Stmt) (err error) {
				p, err = scanProfessional(st)
				return err
			}, claim)
		if err == nil && p.ID == "" {
			err = session.ErrNotFound
		}
		return err
	})
	return p, err
}

// Professionals implements session.Store.
func (s *Store) Professionals(ctx context.Context, after string, limit int) ([]session.Registrant, error) {
	return s.professionals(ctx, "id>?", after, limit)
}

// ToReview implements session.Store.
func (s *Store) ToReview(ctx context.Context, after string, limit int) ([]session.Registrant, error) {
	return s.professionals(ctx, "review<>0 AND id>?", after, limit)
}

func (s *Store) professionals(ctx context.Context, which, after string, limit int) (out []session.Registrant, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+professionalColumns+" FROM professionals WHERE "+which+" ORDER BY id LIMIT ?", func(st *sqlite3.Stmt) error {
			p, err := scanProfessional(st)
			out = append(out, p)
			return err
		}, after, int64(limit))
	})
	return out, err
}

func claimOf(account session.Account) string { return "account:" + account.String() }

func claimOfLicence(l *session.Licence) string { return "licence:" + l.Key() }

// claims are the accounts and the licences that are an entry's own.
func claims(p *session.Registrant) (out []string) {
	for _, a := range p.Accounts {
		out = append(out, claimOf(a))
	}
	for i := range p.Licences {
		out = append(out, claimOfLicence(&p.Licences[i]))
	}
	return out
}

func putProfessional(c *conn, p *session.Registrant) error {
	old, err := readProfessional(c, p.ID)
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	if old.Version != p.Version {
		return session.ErrConflict
	}
	for _, claim := range claims(&old) {
		if _, err := c.exec("DELETE FROM professional_claims WHERE claim=?", claim); err != nil {
			return err
		}
	}
	for _, claim := range claims(p) {
		if err := insert(c, session.ErrTaken, "INSERT INTO professional_claims VALUES (?,?)", claim, p.ID); err != nil {
			return err
		}
	}
	accounts, err := json.Marshal(p.Accounts)
	if err != nil {
		return err
	}
	licences, err := json.Marshal(p.Licences)
	if err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO professionals ("+professionalColumns+") VALUES (?1,?2,?3,?4,?5) ON CONFLICT (id) DO UPDATE SET version=?2, accounts=?3, licences=?4, review=?5",
		p.ID, int64(p.Version+1), string(accounts), string(licences), p.Review)
	return err
}

// distrust puts the whole registry to review and revokes every operator's key,
// but no service's.
func distrust(c *conn, at time.Time) error {
	if _, err := c.exec("UPDATE professionals SET version=version+1, review=1 WHERE review=0"); err != nil {
		return err
	}
	_, err := c.exec("UPDATE operators SET version=version+1, revoked_at=? WHERE revoked_at=0 AND role<>?", at, string(session.RoleService))
	return err
}
