package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// AccountsOf implements session.Store.
func (s *Store) AccountsOf(ctx context.Context, userID string) (out []session.Account, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT account FROM accounts WHERE user_id=?", func(st *sqlite3.Stmt) error {
			chain, address, ok := strings.Cut(st.ColumnText(0), ":")
			if !ok {
				return errors.New("sqlite: an account is damaged")
			}
			out = append(out, session.Account{Chain: session.Chain(chain), Address: address})
			return nil
		}, userID)
	})
	return out, err
}

// Users implements session.Store.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]string, error) {
	return s.ids(ctx, "SELECT DISTINCT user_id FROM accounts WHERE user_id>? ORDER BY user_id LIMIT ?", after, limit)
}

// Erased implements session.Store.
func (s *Store) Erased(ctx context.Context, after string, limit int) ([]string, error) {
	return s.ids(ctx, "SELECT DISTINCT subject_id FROM records WHERE action='user.erase' AND subject_id>? ORDER BY subject_id LIMIT ?", after, limit)
}

func (s *Store) ids(ctx context.Context, query, after string, limit int) (out []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows(query, func(st *sqlite3.Stmt) error {
			out = append(out, st.ColumnText(0))
			return nil
		}, after, int64(limit))
	})
	return out, err
}

// ErasedIn tells who was erased by what a database at rest or a backup says, what
// it holds, and whether it is a later state, or the same, of the store of which
// another is one. It checks no page, and takes no lock.
func ErasedIn(ctx context.Context, path string, of Contents) (held Contents, later bool, users []string, err error) {
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY|sqlite3.OPEN_NOFOLLOW)
	if err != nil {
		return held, false, nil, fmt.Errorf("%s: %w", path, err)
	}
	defer func() {
		if err = errors.Join(err, c.Close()); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	c.SetInterrupt(ctx)
	if err := errors.Join(c.Exec("PRAGMA trusted_schema=OFF"), held.read(c)); err != nil {
		return held, false, nil, err
	}
	reading := &conn{Conn: c, prepared: map[string]*sqlite3.Stmt{}}
	defer func() {
		for _, st := range reading.prepared {
			err = errors.Join(err, st.Close())
		}
	}()
	same, err := recordAt(reading, of.Position)
	if err != nil {
		return held, false, nil, err
	}
	err = reading.rows("SELECT DISTINCT subject_id FROM records WHERE action='user.erase'", func(st *sqlite3.Stmt) error {
		users = append(users, st.ColumnText(0))
		return nil
	})
	return held, same == of.newest, users, err
}

// erase deletes what is stored of a user. Sessions have no index by their
// subject, which every sign-in would pay for: this reads them all.
func erase(c *conn, userID string) error {
	for _, query := range []string{
		"DELETE FROM accounts WHERE user_id=?", "DELETE FROM rosters WHERE subject_id=?", "DELETE FROM sessions WHERE subject_id=?",
	} {
		if _, err := c.exec(query, userID); err != nil {
			return err
		}
	}
	return nil
}
