package sqlite

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

const memberColumns = "user_id,version,current,entered,leaving,next,asked_at"

func scanMember(st *sqlite3.Stmt) (m session.Member, err error) {
	m = session.Member{
		UserID: st.ColumnText(0), Version: uint64(st.ColumnInt64(1)),
		Entered: st.ColumnBool(3), Leaving: st.ColumnBool(4), AskedAt: fromMillis(st.ColumnInt64(6)),
	}
	if m.Current, err = commitment(st, 2); err == nil {
		m.Next, err = commitment(st, 5)
	}
	return m, err
}

func commitment(st *sqlite3.Stmt, column int) (c session.Commitment, err error) {
	raw := st.ColumnRawBlob(column)
	if len(raw) != len(c) {
		return c, errors.New("sqlite: a commitment is damaged")
	}
	return session.Commitment(raw), nil
}

// Member implements session.Store.
func (s *Store) Member(ctx context.Context, userID string) (m session.Member, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		m, err = readMember(c, userID)
		return err
	})
	return m, err
}

func readMember(c *conn, userID string) (m session.Member, err error) {
	err = c.rows("SELECT "+memberColumns+" FROM members WHERE user_id=?", func(st *sqlite3.Stmt) (err error) {
		m, err = scanMember(st)
		return err
	}, userID)
	if err == nil && m.Version == 0 {
		err = session.ErrNotFound
	}
	return m, err
}

// Waiting implements session.Store.
func (s *Store) Waiting(ctx context.Context) (out []session.Member, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+memberColumns+" FROM members WHERE asked_at<>0", func(st *sqlite3.Stmt) error {
			m, err := scanMember(st)
			out = append(out, m)
			return err
		})
	})
	return out, err
}

// Places implements session.Store. It reads page by page, so that it holds no
// connection for long; places that are there do not change but at a turn, and
// whoever loads them is the one who changes them.
func (s *Store) Places(ctx context.Context) iter.Seq2[session.Commitment, error] {
	return func(yield func(session.Commitment, error) bool) {
		rows := make([]session.Commitment, 0, pageRows)
		for from := int64(0); ; from += pageRows {
			rows = rows[:0]
			err := s.read(ctx, func(c *conn) error {
				return c.rows("SELECT commitment FROM places WHERE place>=? ORDER BY place LIMIT ?", func(st *sqlite3.Stmt) error {
					place, err := commitment(st, 0)
					rows = append(rows, place)
					return err
				}, from, int64(pageRows))
			})
			for _, place := range rows {
				if err == nil && !yield(place, nil) {
					return
				}
			}
			if err != nil {
				yield(session.Commitment{}, err)
				return
			}
			if len(rows) < pageRows {
				return
			}
		}
	}
}

// Snapshots implements session.Store.
func (s *Store) Snapshots(ctx context.Context, from int64, limit int) (out [][]byte, err error) {
	query := "SELECT body FROM snapshots WHERE number>=?1 ORDER BY number LIMIT ?2"
	if from == session.NewestSnapshots {
		query = "SELECT body FROM snapshots WHERE number>(SELECT max(number) FROM snapshots)-?2 AND number>?1 ORDER BY number"
	}
	err = s.read(ctx, func(c *conn) error {
		return c.rows(query, func(st *sqlite3.Stmt) error {
			out = append(out, st.ColumnBlob(0, nil))
			return nil
		}, from, int64(limit))
	})
	return out, err
}

// putMember replaces what a user has.
func putMember(c *conn, m *session.Member) error {
	old, err := readMember(c, m.UserID)
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	if old.Version != m.Version {
		return session.ErrConflict
	}
	none := session.Commitment{}
	for _, was := range []session.Commitment{old.Current, old.Next} {
		if was == none {
			continue
		}
		if _, err := c.exec("DELETE FROM commitments WHERE commitment=?", was[:]); err != nil {
			return err
		}
	}
	if _, err := c.exec("DELETE FROM members WHERE user_id=?", m.UserID); err != nil || m.Current == none {
		return err
	}
	for _, is := range []session.Commitment{m.Current, m.Next} {
		if is == none {
			continue
		}
		if err := insert(c, session.ErrTaken, "INSERT INTO commitments VALUES (?,?)", is[:], m.UserID); err != nil {
			return err
		}
	}
	version := int64(m.Version + 1)
	if m.Version == 0 { // one who came back is not taken for the one who left
		version = rand.Int64N(1<<62) + 1
	}
	_, err = c.exec("INSERT INTO members ("+memberColumns+") VALUES (?,?,?,?,?,?,?)",
		m.UserID, version, m.Current[:], m.Entered, m.Leaving, m.Next[:], m.AskedAt)
	return err
}

// putPublication changes the group.
func putPublication(c *conn, p *session.Publication) error {
	n, err := c.exec("INSERT INTO snapshots SELECT ?1,?2 WHERE ?1=(SELECT coalesce(max(number)+1,0) FROM snapshots)", int64(p.Number), p.Snapshot)
	if err := conflictUnless(n, err); err != nil {
		return err
	}
	for _, place := range p.Vacate {
		n, err := c.exec("UPDATE places SET commitment=zeroblob(32) WHERE place=?", int64(place))
		if err := conflictUnless(n, err); err != nil {
			return err
		}
	}
	for i := range p.Enter {
		n, err := c.exec("INSERT INTO places SELECT ?1,?2 WHERE ?1=(SELECT coalesce(max(place)+1,0) FROM places)", int64(p.First+i), p.Enter[i][:])
		if err := conflictUnless(n, err); err != nil {
			return err
		}
	}
	for i := range p.Members {
		if err := putMember(c, &p.Members[i]); err != nil {
			return err
		}
	}
	return nil
}
