package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
)

// Who gives up waiting for the writer gets no answer, and the writer, which goes
// on, shares nothing with them: the race detector watches.
func TestASweepThatIsGivenUpIsReadByNobody(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	gaveUp := 0
	for range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		n, err := store.Sweep(ctx, session.SweepCut{Nonces: time.Unix(1, 0)}, 100)
		if err != nil {
			gaveUp++
		}
		if n != 0 {
			t.Fatalf("%d rows went of an empty store", n)
		}
	}
	if gaveUp == 0 {
		t.Error("nobody gave up: the test shows nothing")
	}
}
