package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// Keys implements session.Store.
func (s *Store) Keys(ctx context.Context) (out []session.WrappedKey, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT id,algorithm,created_at,active_from,secret FROM keys ORDER BY active_from,id", func(st *sqlite3.Stmt) error {
			out = append(out, session.WrappedKey{
				ID: st.ColumnText(0), Algorithm: token.Algorithm(st.ColumnText(1)),
				CreatedAt: fromMillis(st.ColumnInt64(2)), ActiveFrom: fromMillis(st.ColumnInt64(3)), Secret: st.ColumnBlob(4, nil),
			})
			return nil
		})
	})
	return out, err
}

// AddKey implements session.Store.
func (s *Store) AddKey(ctx context.Context, k session.WrappedKey) error {
	return s.submit(ctx, func(c *conn) error {
		return insert(c, session.ErrConflict, "INSERT INTO keys VALUES (?,?,?,?,?)",
			k.ID, string(k.Algorithm), k.CreatedAt, k.ActiveFrom, k.Secret)
	})
}

// DropKeys implements session.Store.
func (s *Store) DropKeys(ctx context.Context, ids ...string) error {
	return s.submit(ctx, func(c *conn) error {
		for _, id := range ids {
			if _, err := c.exec("DELETE FROM keys WHERE id=?", id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Meta implements session.Store.
func (s *Store) Meta(ctx context.Context) (m session.Meta, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		m, err = readMeta(c)
		return err
	})
	return m, err
}

func readMeta(c *conn) (m session.Meta, err error) {
	err = c.rows("SELECT restore_epoch,key_check,running FROM meta", func(st *sqlite3.Stmt) error {
		m = session.Meta{RestoreEpoch: uint32(st.ColumnInt64(0)), Running: st.ColumnBool(2)}
		if st.ColumnType(1) != sqlite3.NULL {
			m.KeyCheck = st.ColumnBlob(1, nil)
		}
		return nil
	})
	return m, err
}

// SetMeta implements session.Store.
func (s *Store) SetMeta(ctx context.Context, old, new session.Meta) error {
	return s.submit(ctx, func(c *conn) error {
		now, err := readMeta(c)
		if err != nil {
			return err
		}
		if now.RestoreEpoch != old.RestoreEpoch || now.Running != old.Running || !bytes.Equal(now.KeyCheck, old.KeyCheck) {
			return session.ErrConflict
		}
		_, err = c.exec("UPDATE meta SET restore_epoch=?, key_check=?, running=?", int64(new.RestoreEpoch), new.KeyCheck, new.Running)
		return err
	})
}

// Sweep implements session.Store. Every key begins with its time, so each kind
// is one range of its primary key.
func (s *Store) Sweep(ctx context.Context, cut session.SweepCut, limit int) (int, error) {
	var deleted int // the writer's until it answers: who gives up reads nothing
	err := s.submit(ctx, func(c *conn) error {
		deleted = 0
		del := func(query string, args ...any) error {
			changed, err := c.exec(query, append(args, int64(limit))...)
			deleted += int(changed)
			return err
		}
		if !cut.Sessions.IsZero() {
			for kind := token.Standard; kind <= token.Professional; kind++ {
				below := token.FirstID(kind, cut.Sessions)
				if err := del("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE id>=? AND id<? LIMIT ?)", []byte{byte(kind)}, below[:]); err != nil {
					return err
				}
			}
		}
		if !cut.Nonces.IsZero() {
			if err := del("DELETE FROM nonces WHERE key IN (SELECT key FROM nonces WHERE key<? LIMIT ?)", nonceBound(cut.Nonces)); err != nil {
				return err
			}
		}
		for anonymous, before := range map[bool]time.Time{false: cut.Events, true: cut.Told} {
			if before.IsZero() {
				continue
			}
			if err := del(deleteOldest(eventsTable(anonymous)), before); err != nil {
				return err
			}
		}
		if !cut.Records.IsZero() {
			if err := del(deleteOldest("records"), cut.Records); err != nil {
				return err
			}
			key := recordKey(cut.Records)
			if err := del("DELETE FROM anonymous_records WHERE key IN (SELECT key FROM anonymous_records WHERE key<? LIMIT ?)", key[:]); err != nil {
				return err
			}
		}
		if !cut.Cuts.IsZero() {
			if err := del("DELETE FROM cuts WHERE number IN (SELECT number FROM cuts WHERE at<? AND number<(SELECT max(number) FROM cuts) LIMIT ?)", cut.Cuts); err != nil {
				return err
			}
		}
		if !cut.Rosters.IsZero() {
			return del("DELETE FROM rosters WHERE subject_id IN (SELECT subject_id FROM rosters WHERE until<>0 AND until<=? LIMIT ?)", cut.Rosters)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// deleteOldest deletes the oldest of a table with positions that are older than
// a time. The newest row stays, so that no position comes twice.
func deleteOldest(table string) string {
	return "DELETE FROM " + table + " WHERE position IN (SELECT position FROM (SELECT position,at FROM " + table + " ORDER BY position LIMIT ?2) WHERE at<?1 AND position<(SELECT max(position) FROM " + table + "))"
}

// nonceBound is below every nonce of a challenge issued at the time or later.
func nonceBound(at time.Time) []byte { return binary.BigEndian.AppendUint32(nil, uint32(at.Unix())) }
