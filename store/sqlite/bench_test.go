package sqlite

import (
	"crypto/rand"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

func benchRow(at time.Time) session.Session {
	row := session.Session{
		ID: token.NewID(token.Standard, at), Type: session.Standard, Channel: session.Header, Reporting: true,
		Subject:     session.Subject{ID: session.NewUserID(), Account: session.Account{Chain: session.InternetComputer, Address: rand.Text() + rand.Text()}},
		Permissions: session.DefaultPolicies()[session.Standard].Permissions,
		CreatedAt:   at, AuthTime: at, LastActivity: at, SteppedAt: at, ExpiresAt: at.Add(12 * time.Hour), AbsoluteEnd: at.Add(24 * time.Hour),
		TokenLife: 12 * time.Hour, IdleLife: 35 * time.Minute, Generation: 1, MinGen: 1, Version: 1,
	}
	rand.Read(row.Seed[:])
	return row
}

// BenchmarkRefresh writes what a refresh changes, 64 sessions at once.
func BenchmarkRefresh(b *testing.B) {
	store, err := Open(b.Context(), filepath.Join(b.TempDir(), "sessions.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	at := time.Now().UTC().Truncate(time.Second)
	rows := make([]session.Session, 64)
	for i := range rows {
		rows[i] = benchRow(at)
		if err := store.Apply(b.Context(), session.Change{Insert: rows[i : i+1]})[0]; err != nil {
			b.Fatal(err)
		}
	}
	var next atomic.Int32
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		row := rows[next.Add(1)%64]
		for pb.Next() {
			row.Generation++
			c := session.Change{Update: []session.Session{row}, Records: []session.Record{{Action: session.ActionRefresh, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, RequestID: "req_0123456789abcdef"}}}
			if err := store.Apply(b.Context(), c)[0]; err != nil {
				b.Error(err)
				return
			}
			row.Version++
		}
	})
}

// BenchmarkCreate writes what a first sign-in changes, 64 at once.
func BenchmarkCreate(b *testing.B) {
	store, err := Open(b.Context(), filepath.Join(b.TempDir(), "sessions.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	at := time.Now().UTC().Truncate(time.Second)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			row := benchRow(at)
			var nonce session.UsedNonce
			rand.Read(nonce.Key[:])
			c := session.Change{
				Insert: []session.Session{row}, Nonce: &nonce,
				Roster:  &session.Roster{SubjectID: row.Subject.ID, Sessions: []token.ID{row.ID}},
				Link:    &session.Link{Account: row.Subject.Account, UserID: row.Subject.ID, At: at},
				Events:  []session.Event{{Kind: session.EventCreated, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, MinGen: 1}},
				Records: []session.Record{{Action: session.ActionCreate, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, RequestID: "req_0123456789abcdef"}},
			}
			if err := store.Apply(b.Context(), c)[0]; err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkLive reads live sessions as a start does; one operation is one row.
func BenchmarkLive(b *testing.B) {
	const rows = 100_000
	store, err := Open(b.Context(), filepath.Join(b.TempDir(), "sessions.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	at := time.Now().UTC().Truncate(time.Second)
	for range rows / maxBatch {
		changes := make([]session.Change, maxBatch)
		for i := range changes {
			changes[i].Insert = []session.Session{benchRow(at)}
		}
		for _, err := range store.Apply(b.Context(), changes...) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for _, err := range store.Live(b.Context(), at.Add(-time.Hour)) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == b.N {
				break
			}
		}
	}
}
