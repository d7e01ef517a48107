package session_test

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/store/storetest"
	"github.com/mentalverse/session/token"
)

var sessions = flag.Int("sessions", 100_000, "how many BenchmarkEndMany ends")

// BenchmarkEndMany ends all of a hundred thousand sessions (go test -bench
// EndMany -sessions 1000000 for a million): until it is answered, and until
// every row has followed.
func BenchmarkEndMany(b *testing.B) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "s.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	var last token.ID
	const batch = 5000
	for range *sessions / batch {
		var c session.Change
		for range batch {
			row := storetest.Session(start)
			row.RestoreEpoch, row.Cut, last = 0, 0, row.ID
			c.Insert = append(c.Insert, row)
		}
		if err := store.Apply(b.Context(), c)[0]; err != nil {
			b.Fatal(err)
		}
	}
	s, err := session.NewService(b.Context(), session.Config{
		Store: store, MasterKey: session.MasterKey{1}, Issuer: "x", Now: sessiontest.NewClock(start.Add(time.Minute)).Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	began := time.Now()
	if err := s.EndMany(b.Context(), session.Selection{}, operator); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(began).Microseconds()), "µs-to-answer")
	for {
		row, err := store.Session(b.Context(), last)
		if err != nil {
			b.Fatal(err)
		}
		if row.Ended() {
			break
		}
		if err := s.FollowCuts(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(time.Since(began).Seconds(), "s-to-rows")
}
