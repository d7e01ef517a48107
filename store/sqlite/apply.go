package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// Apply implements session.Store.
func (s *Store) Apply(ctx context.Context, changes ...session.Change) []error {
	ops := make([]*op, len(changes))
	for i := range changes {
		ops[i] = &op{do: func(c *conn) error { return apply(c, &changes[i]) }, must: changes[i].Must()}
	}
	return s.submitAll(ctx, ops...)
}

func apply(c *conn, ch *session.Change) error {
	if ch.Nonce != nil {
		if err := insert(c, session.ErrNonceUsed, "INSERT INTO nonces VALUES (?)", ch.Nonce.Key[:]); err != nil {
			return err
		}
	}
	if l := ch.Link; l != nil {
		if err := insert(c, session.ErrConflict, "INSERT INTO accounts VALUES (?,?,?)", l.Account.String(), l.UserID, l.At); err != nil {
			return err
		}
	}
	if ch.Roster != nil {
		if err := putRoster(c, ch.Roster); err != nil {
			return err
		}
	}
	for i := range ch.Update {
		if err := updateSession(c, &ch.Update[i]); err != nil {
			return err
		}
	}
	for i := range ch.Insert {
		if err := insertSession(c, &ch.Insert[i]); err != nil {
			return err
		}
	}
	if ch.Holds != nil {
		n, err := c.exec("UPDATE professionals SET version=version+1 WHERE id=? AND version=?", ch.Holds.Professional, int64(ch.Holds.Version))
		if err := conflictUnless(n, err); err != nil {
			return err
		}
	}
	if !ch.Distrust.IsZero() {
		if err := distrust(c, ch.Distrust); err != nil {
			return err
		}
	}
	for i := range ch.Professionals {
		if err := putProfessional(c, &ch.Professionals[i]); err != nil {
			return err
		}
	}
	for i := range ch.Operators {
		if err := putOperator(c, &ch.Operators[i]); err != nil {
			return err
		}
	}
	for i := range ch.Members {
		if err := putMember(c, &ch.Members[i]); err != nil {
			return err
		}
	}
	if ch.Publication != nil {
		if err := putPublication(c, ch.Publication); err != nil {
			return err
		}
	}
	if ch.Cut != nil {
		if err := putCut(c, ch.Cut); err != nil {
			return err
		}
	}
	if ch.Erase != "" {
		if err := erase(c, ch.Erase); err != nil {
			return err
		}
	}
	for _, e := range ch.Events {
		if _, err := c.exec("INSERT INTO "+eventsTable(e.Anonymous())+" (kind,at,session_id,subject_id,reason,min_gen) VALUES (?,?,?,?,?,?)",
			string(e.Kind), e.At, e.SessionID[:], e.SubjectID, string(e.Reason), int64(e.MinGen)); err != nil {
			return err
		}
	}
	for _, r := range ch.Records {
		if r.Anonymous() {
			key := recordKey(r.At)
			rand.Read(key[4:])
			if _, err := c.exec("INSERT INTO anonymous_records (key,action,session_id,subject_id,detail,actor) VALUES (?,?,?,?,?,?)",
				key[:], string(r.Action), r.SessionID[:], r.SubjectID, r.Detail, r.Actor); err != nil {
				return err
			}
			continue
		}
		if _, err := c.exec("INSERT INTO records (action,at,session_id,subject_id,detail,request_id,actor,changed) VALUES (?,?,?,?,?,?,?,?)",
			string(r.Action), r.At, r.SessionID[:], r.SubjectID, r.Detail, r.RequestID, r.Actor, r.Changed); err != nil {
			return err
		}
	}
	return nil
}

func eventsTable(anonymous bool) string {
	if anonymous {
		return "anonymous_events"
	}
	return "events"
}

// recordKey is the lowest key of an anonymous record of the time.
func recordKey(at time.Time) (key [20]byte) {
	binary.BigEndian.PutUint32(key[:], uint32(at.Unix()))
	return key
}

// insert answers exists when the row is there already.
func insert(c *conn, exists error, query string, args ...any) error {
	_, err := c.exec(query, args...)
	if errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) || errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) {
		return exists
	}
	return err
}

func putRoster(c *conn, r *session.Roster) error {
	ids := make([]byte, 0, 21*len(r.Sessions))
	for _, id := range r.Sessions {
		ids = append(ids, id[:]...)
	}
	if r.Version == 0 {
		return insert(c, session.ErrConflict, "INSERT INTO rosters (subject_id,version,sessions,blocked_until,until) VALUES (?,1,?,?,?)", r.SubjectID, ids, r.BlockedUntil, r.Until)
	}
	n, err := c.exec("UPDATE rosters SET version=version+1, sessions=?, blocked_until=?, until=? WHERE subject_id=? AND version=?", ids, r.BlockedUntil, r.Until, r.SubjectID, int64(r.Version))
	return conflictUnless(n, err)
}

// conflictUnless tells a compare-and-swap that changed nothing.
func conflictUnless(changed int64, err error) error {
	if err == nil && changed == 0 {
		return session.ErrConflict
	}
	return err
}
