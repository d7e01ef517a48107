package bench

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
)

// storeCreate writes new sessions into a store of its own, as many writers as
// clients, without the service above it.
func (b *bench) storeCreate(ctx context.Context) (Run, error) {
	dir, err := os.MkdirTemp(b.dir, "store-")
	if err != nil {
		return Run{}, err
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "sessions.db"))
	if err != nil {
		return Run{}, err
	}
	defer store.Close()
	return writeTogether(b.Clients, b.Lasts, func() error { return store.Apply(ctx, creation(time.Now()))[0] })
}

// creation is all that a first sign-in changes: the session, its person's
// account and roster, the used challenge, the event and the audit record.
func creation(now time.Time) session.Change {
	at := now.UTC().Truncate(time.Second)
	account := session.Account{Chain: session.InternetComputer, Address: rand.Text() + rand.Text()}
	row := session.Session{
		ID: token.NewID(token.Standard, at), Type: session.Standard, Channel: session.Header, Reporting: true,
		Subject:     session.Subject{ID: session.NewUserID(), Account: account},
		Permissions: session.DefaultPolicies()[session.Standard].Permissions,
		CreatedAt:   at, AuthTime: at, LastActivity: at, SteppedAt: at, ExpiresAt: at.Add(12 * time.Hour), AbsoluteEnd: at.Add(24 * time.Hour),
		TokenLife: 12 * time.Hour, IdleLife: 35 * time.Minute, Generation: 1, MinGen: 1, Version: 1,
	}
	rand.Read(row.Seed[:])
	nonce := session.UsedNonce{}
	rand.Read(nonce.Key[:])
	return session.Change{
		Insert:  []session.Session{row},
		Roster:  &session.Roster{SubjectID: row.Subject.ID, Sessions: []token.ID{row.ID}},
		Link:    &session.Link{Account: account, UserID: row.Subject.ID, At: at},
		Nonce:   &nonce,
		Events:  []session.Event{{Kind: session.EventCreated, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, MinGen: 1}},
		Records: []session.Record{{Action: session.ActionCreate, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, RequestID: "req_0123456789abcdef"}},
	}
}
