package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// Cuts implements session.Store.
func (s *Store) Cuts(ctx context.Context) (out []session.Cut, err error) {
	out = []session.Cut{}
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT number,at,type,created_before,key_from,key_until,created_from FROM cuts ORDER BY number", func(st *sqlite3.Stmt) error {
			out = append(out, session.Cut{
				Number: uint32(st.ColumnInt64(0)), At: fromMillis(st.ColumnInt64(1)), Type: session.Type(st.ColumnText(2)),
				CreatedBefore: fromMillis(st.ColumnInt64(3)), KeyFrom: fromMillis(st.ColumnInt64(4)), KeyUntil: fromMillis(st.ColumnInt64(5)),
				CreatedFrom: fromMillis(st.ColumnInt64(6)),
			})
			return nil
		})
	})
	return out, err
}

func putCut(c *conn, cut *session.Cut) error {
	n, err := c.exec("INSERT INTO cuts (number,at,type,created_before,key_from,key_until,created_from) SELECT ?1,?2,?3,?4,?5,?6,?7 WHERE ?1=(SELECT coalesce(max(number),0)+1 FROM cuts)",
		int64(cut.Number), cut.At, string(cut.Type), cut.CreatedBefore, cut.KeyFrom, cut.KeyUntil, cut.CreatedFrom)
	return conflictUnless(n, err)
}
