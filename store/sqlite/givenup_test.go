package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
)

// A change is done although nobody waits for it, more than a queue of them too,
// and none of those is told of as if it were known.
func TestAChangeThatIsGivenUpIsUndecided(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	changes := make([]session.Change, 1000)
	for i := range changes {
		changes[i].Records = []session.Record{{Action: session.ActionRefresh, At: time.Unix(1, 0)}}
	}
	undecided := 0
	for _, err := range store.Apply(gone, changes...) {
		if late, ok := errors.AsType[*session.Undecided](err); ok {
			undecided++
			err = <-late.Outcome
		}
		if err != nil {
			t.Error(err)
		}
	}
	records, err := store.Records(t.Context(), 0, 2*len(changes))
	if err != nil || len(records) != len(changes) || undecided == 0 {
		t.Errorf("%d of %d are there, of %d nobody knew: %v", len(records), len(changes), undecided, err)
	}
}

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
