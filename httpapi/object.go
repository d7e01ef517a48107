package httpapi

import (
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// tokens is the wire form of a pair.
func tokens(t session.Tokens) api.Tokens {
	row := t.Session
	out := api.Tokens{
		SessionToken: t.SessionToken, RefreshToken: t.RefreshToken,
		ExpiresAt: stamp(row.ExpiresAt), SessionID: row.ID.String(), SessionType: string(row.Type),
		Permissions: list(row.Permissions), ExpiresIn: int64(t.ExpiresIn / time.Second),
		IdleExpiresAt: stamp(row.IdleEnd()), SessionExpiresAt: stamp(row.AbsoluteEnd), DeviceLabel: row.DeviceLabel,
	}
	if !t.RefreshAt.IsZero() {
		at := stamp(t.RefreshAt)
		out.RefreshAt = &at
	}
	return out
}

// object is the specification's session object.
func object(row session.Session, current token.ID) api.Session {
	o := api.Session{
		SessionID: row.ID.String(), UserID: row.Subject.ID, SessionType: string(row.Type),
		CreatedAt: stamp(row.CreatedAt), ExpiresAt: stamp(row.ExpiresAt), LastActivity: stamp(row.LastActivity),
		Permissions: list(row.Permissions), AuthTime: stamp(row.AuthTime),
		IdleExpiresAt: stamp(row.IdleEnd()), SessionExpiresAt: stamp(row.AbsoluteEnd),
		DeviceLabel: row.DeviceLabel, Current: row.ID == current,
	}
	if row.Subject.Account.Chain == session.InternetComputer {
		o.Principal = row.Subject.Account.Address
	} else {
		o.Address = row.Subject.Account.Address
	}
	return o
}

// list is the set as a JSON array, never null.
func list(p session.Permissions) []string { return append([]string{}, p...) }
