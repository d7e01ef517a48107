package sqlite

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

const operatorColumns = "id,version,name,role,key_hash,created_at,revoked_at"

func scanOperator(st *sqlite3.Stmt) (o session.Operator, err error) {
	o = session.Operator{
		ID: st.ColumnText(0), Version: uint64(st.ColumnInt64(1)), Name: st.ColumnText(2), Role: session.Role(st.ColumnText(3)),
		CreatedAt: fromMillis(st.ColumnInt64(5)), RevokedAt: fromMillis(st.ColumnInt64(6)),
	}
	if raw := st.ColumnRawBlob(4); copy(o.KeyHash[:], raw) != len(o.KeyHash) {
		err = fmt.Errorf("sqlite: operator %s is damaged", o.ID)
	}
	return o, err
}

// Operator implements session.Store.
func (s *Store) Operator(ctx context.Context, id string) (o session.Operator, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+operatorColumns+" FROM operators WHERE id=?", func(st *sqlite3.Stmt) (err error) {
			o, err = scanOperator(st)
			return err
		}, id)
	})
	if err == nil && o.ID == "" {
		err = session.ErrNotFound
	}
	return o, err
}

// Operators implements session.Store.
func (s *Store) Operators(ctx context.Context, after string, limit int) (out []session.Operator, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+operatorColumns+" FROM operators WHERE id>? ORDER BY id LIMIT ?", func(st *sqlite3.Stmt) error {
			o, err := scanOperator(st)
			out = append(out, o)
			return err
		}, after, int64(limit))
	})
	return out, err
}

func putOperator(c *conn, o *session.Operator) error {
	if o.Version == 0 {
		return insert(c, session.ErrConflict, "INSERT INTO operators ("+operatorColumns+") VALUES (?,1,?,?,?,?,?)",
			o.ID, o.Name, string(o.Role), o.KeyHash[:], o.CreatedAt, o.RevokedAt)
	}
	n, err := c.exec("UPDATE operators SET version=version+1, name=?, role=?, key_hash=?, revoked_at=? WHERE id=? AND version=? AND revoked_at=0",
		o.Name, string(o.Role), o.KeyHash[:], o.RevokedAt, o.ID, int64(o.Version))
	return conflictUnless(n, err)
}
