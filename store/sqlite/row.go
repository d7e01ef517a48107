package sqlite

import (
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

const sessionColumns = `id,version,type,subject_id,chain,address,permissions,device_label,reporting,
	created_at,auth_time,seen_keys,token_life,idle_life,expires_at,absolute_end,last_activity,
	generation,used_gen,min_gen,stepped_at,seed,restore_epoch,ended_at,end_reason,channel,professional,cut`

const sessionWidth = 26 // columns

func joinKeys(keys []session.KeyHash) []byte {
	b := make([]byte, 0, 16*len(keys))
	for _, k := range keys {
		b = append(b, k[:]...)
	}
	return b
}

func insertSession(c *conn, s *session.Session) error {
	return insert(c, session.ErrConflict,
		"INSERT INTO sessions ("+sessionColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		s.ID[:], int64(1), string(s.Type), s.Subject.ID, string(s.Subject.Account.Chain), s.Subject.Account.Address,
		strings.Join(s.Permissions, " "), s.DeviceLabel, s.Reporting,
		s.CreatedAt, s.AuthTime, joinKeys(s.SeenKeys), int64(s.TokenLife/time.Second), int64(s.IdleLife/time.Second),
		s.ExpiresAt, s.AbsoluteEnd, s.LastActivity,
		int64(s.Generation), int64(s.UsedGen), int64(s.MinGen), s.SteppedAt, s.Seed[:], int64(s.RestoreEpoch),
		s.EndedAt, string(s.EndReason), string(s.Channel), s.Subject.Professional, int64(s.Cut))
}

// What a change may alter of a session. Naming no more, and the end only when
// it comes, keeps an update of a living session from rewriting its key and from
// running the trigger that guards the end.
const (
	updateSQL = `UPDATE sessions SET version=?3, permissions=?4, device_label=?5, auth_time=?6, seen_keys=?7, token_life=?8, idle_life=?9,
		expires_at=?10, last_activity=?11, generation=?12, used_gen=?13, min_gen=?14, stepped_at=?15`
	endSQL   = `, ended_at=?16, end_reason=?17`
	whereSQL = ` WHERE id=?1 AND version=?2 AND ended_at=0`
)

func updateSession(c *conn, s *session.Session) error {
	query := updateSQL + whereSQL
	args := []any{
		s.ID[:], int64(s.Version), int64(s.Version + 1), strings.Join(s.Permissions, " "), s.DeviceLabel, s.AuthTime, joinKeys(s.SeenKeys),
		int64(s.TokenLife / time.Second), int64(s.IdleLife / time.Second), s.ExpiresAt, s.LastActivity,
		int64(s.Generation), int64(s.UsedGen), int64(s.MinGen), s.SteppedAt,
	}
	if s.Ended() {
		query = updateSQL + endSQL + whereSQL
		args = append(args, s.EndedAt, string(s.EndReason))
	}
	n, err := c.exec(query, args...)
	return conflictUnless(n, err)
}

func (c *conn) scanSession(st *sqlite3.Stmt) (s session.Session, err error) {
	if s.ID, err = token.IDFromBytes(st.ColumnRawBlob(0)); err != nil {
		return s, err
	}
	s.Version = uint64(st.ColumnInt64(1))
	s.Type = session.Type(c.word(st, 2))
	s.Subject = session.Subject{ID: st.ColumnText(3), Account: session.Account{Chain: session.Chain(c.word(st, 4)), Address: st.ColumnText(5)}}
	s.Permissions = c.set(st, 6)
	s.DeviceLabel = st.ColumnText(7)
	s.Reporting = st.ColumnBool(8)
	s.CreatedAt, s.AuthTime = fromMillis(st.ColumnInt64(9)), fromMillis(st.ColumnInt64(10))
	keys := st.ColumnRawBlob(11)
	if len(keys)%16 != 0 {
		return s, fmt.Errorf("sqlite: session %s: seen keys are damaged", s.ID)
	}
	for ; len(keys) > 0; keys = keys[16:] {
		s.SeenKeys = append(s.SeenKeys, session.KeyHash(keys[:16]))
	}
	s.TokenLife, s.IdleLife = time.Duration(st.ColumnInt64(12))*time.Second, time.Duration(st.ColumnInt64(13))*time.Second
	s.ExpiresAt, s.AbsoluteEnd, s.LastActivity = fromMillis(st.ColumnInt64(14)), fromMillis(st.ColumnInt64(15)), fromMillis(st.ColumnInt64(16))
	s.Generation, s.UsedGen, s.MinGen = uint32(st.ColumnInt64(17)), uint32(st.ColumnInt64(18)), uint32(st.ColumnInt64(19))
	s.SteppedAt = fromMillis(st.ColumnInt64(20))
	seed := st.ColumnRawBlob(21)
	if len(seed) != len(s.Seed) {
		return s, fmt.Errorf("sqlite: session %s: its seed is damaged", s.ID)
	}
	copy(s.Seed[:], seed)
	s.RestoreEpoch = uint32(st.ColumnInt64(22))
	s.EndedAt, s.EndReason = fromMillis(st.ColumnInt64(23)), session.EndReason(c.word(st, 24))
	s.Channel = session.Channel(c.word(st, 25))
	if s.Type == session.Professional {
		s.Subject.Professional = st.ColumnText(26)
	}
	s.Cut = uint32(st.ColumnInt64(27))
	return s, nil
}

// maxSets bounds how many sets of permissions a connection remembers.
const maxSets = 1024

// word returns a text of which there are few, without making it anew.
func (c *conn) word(st *sqlite3.Stmt, column int) string {
	raw := st.ColumnRawText(column)
	if last := c.last[column]; string(raw) == last { // as in most rows
		return last
	}
	if w, ok := c.words[string(raw)]; ok {
		c.last[column] = w
		return w
	}
	if len(c.words) >= maxSets {
		clear(c.words)
	}
	w := string(raw)
	c.words[w], c.last[column] = w, w
	return w
}

// set is word for a set of permissions, which nobody changes.
func (c *conn) set(st *sqlite3.Stmt, column int) session.Permissions {
	raw := st.ColumnRawText(column)
	if c.lastSet.set != nil && string(raw) == c.lastSet.text {
		return c.lastSet.set
	}
	if p, ok := c.sets[string(raw)]; ok {
		c.lastSet = namedSet{string(raw), p}
		return p
	}
	if len(c.sets) >= maxSets {
		clear(c.sets)
	}
	p := session.NewPermissions(strings.Fields(string(raw))...)
	c.lastSet = namedSet{string(raw), p}
	c.sets[c.lastSet.text] = p
	return p
}
