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
	generation,used_gen,min_gen,stepped_at,seed,restore_epoch,ended_at,end_reason,channel`

func sessionArgs(s *session.Session, version uint64) []any {
	keys := make([]byte, 0, 16*len(s.SeenKeys))
	for _, k := range s.SeenKeys {
		keys = append(keys, k[:]...)
	}
	return []any{
		s.ID[:], int64(version), string(s.Type), s.Subject.ID, string(s.Subject.Account.Chain), s.Subject.Account.Address,
		strings.Join(s.Permissions, " "), s.DeviceLabel, s.Reporting,
		s.CreatedAt, s.AuthTime, keys, int64(s.TokenLife / time.Second), int64(s.IdleLife / time.Second),
		s.ExpiresAt, s.AbsoluteEnd, s.LastActivity,
		int64(s.Generation), int64(s.UsedGen), int64(s.MinGen), s.SteppedAt, s.Seed[:], int64(s.RestoreEpoch),
		s.EndedAt, string(s.EndReason), string(s.Channel),
	}
}

func insertSession(c *conn, s *session.Session) error {
	return insert(c, session.ErrConflict,
		"INSERT INTO sessions ("+sessionColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		sessionArgs(s, 1)...)
}

const updateSQL = `UPDATE sessions SET (` + sessionColumns + `) =
	(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26)
	WHERE id=?1 AND version=?2-1 AND ended_at=0`

func updateSession(c *conn, s *session.Session) error {
	n, err := c.exec(updateSQL, sessionArgs(s, s.Version+1)...)
	return conflictUnless(n, err)
}

func scanSession(st *sqlite3.Stmt) (s session.Session, err error) {
	if s.ID, err = token.IDFromBytes(st.ColumnRawBlob(0)); err != nil {
		return s, err
	}
	s.Version = uint64(st.ColumnInt64(1))
	s.Type = session.Type(st.ColumnText(2))
	s.Subject = session.Subject{ID: st.ColumnText(3), Account: session.Account{Chain: session.Chain(st.ColumnText(4)), Address: st.ColumnText(5)}}
	s.Permissions = session.NewPermissions(strings.Fields(st.ColumnText(6))...)
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
	s.EndedAt, s.EndReason = fromMillis(st.ColumnInt64(23)), session.EndReason(st.ColumnText(24))
	s.Channel = session.Channel(st.ColumnText(25))
	return s, nil
}
