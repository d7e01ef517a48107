package sqlite

import (
	"context"
	"errors"
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
