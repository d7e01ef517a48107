package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// Session implements session.Store.
func (s *Store) Session(ctx context.Context, id token.ID) (out session.Session, err error) {
	found := false
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+sessionColumns+" FROM sessions WHERE id=?", func(st *sqlite3.Stmt) (err error) {
			found = true
			out, err = c.scanSession(st)
			return err
		}, id[:])
	})
	if err == nil && !found {
		err = session.ErrNotFound
	}
	return out, err
}

// Roster implements session.Store.
func (s *Store) Roster(ctx context.Context, subjectID string) (session.Roster, error) {
	out := session.Roster{SubjectID: subjectID}
	err := s.read(ctx, func(c *conn) error {
		return c.rows("SELECT version,sessions,blocked_until,until FROM rosters WHERE subject_id=?", func(st *sqlite3.Stmt) error {
			out.Version = uint64(st.ColumnInt64(0))
			out.BlockedUntil, out.Until = fromMillis(st.ColumnInt64(2)), fromMillis(st.ColumnInt64(3))
			for b := st.ColumnRawBlob(1); len(b) >= 21; b = b[21:] {
				id, err := token.IDFromBytes(b[:21])
				if err != nil {
					return err
				}
				out.Sessions = append(out.Sessions, id)
			}
			return nil
		}, subjectID)
	})
	return out, err
}

// UserOf implements session.Store.
func (s *Store) UserOf(ctx context.Context, account session.Account) (userID string, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT user_id FROM accounts WHERE account=?", func(st *sqlite3.Stmt) error {
			userID = st.ColumnText(0)
			return nil
		}, account.String())
	})
	if err == nil && userID == "" {
		err = session.ErrNotFound
	}
	return userID, err
}

// eventColumns are what scanEvent reads.
const eventColumns = "position,kind,at,session_id,subject_id,reason,min_gen"

func scanEvent(st *sqlite3.Stmt) session.StoredEvent {
	e := session.StoredEvent{Position: uint64(st.ColumnInt64(0)), Event: session.Event{
		Kind: session.EventKind(st.ColumnText(1)), At: fromMillis(st.ColumnInt64(2)), SubjectID: st.ColumnText(4),
		Reason: session.EndReason(st.ColumnText(5)), MinGen: uint32(st.ColumnInt64(6)),
	}}
	copy(e.SessionID[:], st.ColumnRawBlob(3))
	return e
}

// Events implements session.Store.
func (s *Store) Events(ctx context.Context, anonymous bool, after uint64, limit int) (out []session.StoredEvent, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+eventColumns+" FROM "+eventsTable(anonymous)+" WHERE position>? ORDER BY position LIMIT ?", func(st *sqlite3.Stmt) error {
			out = append(out, scanEvent(st))
			return nil
		}, int64(after), int64(limit))
	})
	return out, err
}

// NewestEvent implements session.Store.
func (s *Store) NewestEvent(ctx context.Context, anonymous bool) (out session.StoredEvent, err error) {
	found := false
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+eventColumns+" FROM "+eventsTable(anonymous)+" ORDER BY position DESC LIMIT 1", func(st *sqlite3.Stmt) error {
			found, out = true, scanEvent(st)
			return nil
		})
	})
	if err == nil && !found {
		err = session.ErrNotFound
	}
	return out, err
}

// Records implements session.Store.
func (s *Store) Records(ctx context.Context, after uint64, limit int) (out []session.StoredRecord, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT position,action,at,session_id,subject_id,detail,request_id,actor,changed FROM records WHERE position>? ORDER BY position LIMIT ?", func(st *sqlite3.Stmt) error {
			r := session.StoredRecord{Position: uint64(st.ColumnInt64(0)), Record: session.Record{
				Action: session.Action(st.ColumnText(1)), At: fromMillis(st.ColumnInt64(2)), SubjectID: st.ColumnText(4),
				Detail: st.ColumnText(5), RequestID: st.ColumnText(6), Actor: st.ColumnText(7), Changed: st.ColumnText(8),
			}}
			copy(r.SessionID[:], st.ColumnRawBlob(3))
			out = append(out, r)
			return nil
		}, int64(after), int64(limit))
	})
	return out, err
}

// AnonymousRecords implements session.Store.
func (s *Store) AnonymousRecords(ctx context.Context, after [20]byte, limit int) (out []session.AnonymousRecord, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT key,action,session_id,subject_id,detail,actor FROM anonymous_records WHERE key>? ORDER BY key LIMIT ?", func(st *sqlite3.Stmt) error {
			r := session.AnonymousRecord{Record: session.Record{
				Action: session.Action(st.ColumnText(1)), SubjectID: st.ColumnText(3), Detail: st.ColumnText(4), Actor: st.ColumnText(5),
			}}
			if copy(r.Key[:], st.ColumnRawBlob(0)) != len(r.Key) {
				return errors.New("sqlite: an anonymous record's key is damaged")
			}
			r.At = time.Unix(int64(binary.BigEndian.Uint32(r.Key[:])), 0).UTC()
			copy(r.SessionID[:], st.ColumnRawBlob(2))
			out = append(out, r)
			return nil
		}, after[:], int64(limit))
	})
	return out, err
}

// Ping implements session.Store.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Meta(ctx)
	return err
}
