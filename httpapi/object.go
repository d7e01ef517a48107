package httpapi

import (
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// issue is the wire form of a pair. Of a session that lives in cookies it puts
// the pair there, and no secret into the body (V3.3.4 of OWASP ASVS 5.0).
func (p *public) issue(c call, t session.Tokens) api.Tokens {
	row := t.Session
	if row.ID == (token.ID{}) {
		return api.Tokens{}
	}
	out := tokens(row, t)
	if row.Channel != session.Cookie {
		out.SessionToken, out.RefreshToken = t.SessionToken.Reveal(), t.RefreshToken.Reveal()
		return out
	}
	out.CSRFToken = p.proof(row.ID)
	if !t.SessionToken.IsZero() {
		c.answer.Add("Set-Cookie", newCookie(sessionCookie, t.SessionToken.Reveal()).String())
		c.answer.Add("Set-Cookie", newCookie(refreshCookie, t.RefreshToken.Reveal()).String())
	}
	return out
}

// tokens is a pair's wire form without the pair.
func tokens(row session.Session, t session.Tokens) api.Tokens {
	id, stamps := idAndStamps(row.ID, [4]time.Time{row.ExpiresAt, row.IdleEnd(), row.AbsoluteEnd, t.RefreshAt})
	out := api.Tokens{
		ExpiresAt: stamps[0], SessionID: id, SessionType: string(row.Type),
		Permissions: list(row.Permissions), ExpiresIn: int64(t.ExpiresIn / time.Second),
		IdleExpiresAt: stamps[1], SessionExpiresAt: stamps[2], DeviceLabel: row.DeviceLabel,
	}
	if !t.RefreshAt.IsZero() {
		out.RefreshAt = &stamps[3]
	}
	return out
}

// object is the specification's session object.
func object(row session.Session, current token.ID) api.Session {
	o := api.Session{
		SessionID: row.ID.String(), SessionType: string(row.Type), ZKProof: row.Receipt(),
		CreatedAt: stamp(row.CreatedAt), ExpiresAt: stamp(row.ExpiresAt), LastActivity: stamp(row.LastActivity),
		Permissions: list(row.Permissions), AuthTime: stamp(row.AuthTime),
		IdleExpiresAt: stamp(row.IdleEnd()), SessionExpiresAt: stamp(row.AbsoluteEnd),
		DeviceLabel: row.DeviceLabel, Current: row.ID == current,
	}
	o.UserID, o.AnonymousID = subject(&row)
	o.Principal, o.Address = account(&row)
	o.ProfessionalID, o.VerificationLevel = practice(&row)
	return o
}

// subject is the session's subject under the name that the specification gives
// it; the other is empty.
func subject(row *session.Session) (userID, anonymousID string) {
	if row.Type == session.Anonymous {
		return "", row.Subject.ID
	}
	return row.Subject.ID, ""
}

// practice is the entry of the registry that a professional session stands on,
// and its level: a session whose licence is anything else has ended.
func practice(row *session.Session) (professionalID, level string) {
	if row.Type != session.Professional {
		return "", ""
	}
	return row.Subject.Professional, string(session.LevelVerified)
}

// account is the session's account under the name that the specification gives
// it on its chain; the other is empty.
func account(row *session.Session) (principal, address string) {
	if row.Subject.Account.Chain == session.InternetComputer {
		return row.Subject.Account.Address, ""
	}
	return "", row.Subject.Account.Address
}

// list is the set as a JSON array, never null.
func list(p session.Permissions) []string {
	if p == nil {
		return []string{}
	}
	return p
}
