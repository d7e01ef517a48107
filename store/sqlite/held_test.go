package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/storetest"
)

// A backup holds no writer up: those who write while its snapshot is open are
// answered before it is closed.
func TestABackupHoldsNoWriterUp(t *testing.T) {
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, 30_000)
	alone, beside := []time.Duration{}, []time.Duration{}
	write := func(to *[]time.Duration) {
		began := time.Now()
		if err := s.Apply(t.Context(), session.Change{Insert: []session.Session{storetest.Session(time.Now())}})[0]; err != nil {
			t.Fatal(err)
		}
		*to = append(*to, time.Since(began))
	}
	for range 50 {
		write(&alone)
	}
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := Backup(t.Context(), s.path, filepath.Join(t.TempDir(), "backup"), false)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(alone)
			slices.Sort(beside)
			t.Logf("a backup of %v; writes alone: median %v, longest %v; %d beside it: median %v, longest %v", time.Since(began),
				alone[len(alone)/2], alone[len(alone)-1], len(beside), beside[len(beside)/2], beside[len(beside)-1])
			if len(beside) < 3 {
				t.Errorf("%d writes were answered while a backup was taken", len(beside))
			}
			return
		default:
			write(&beside)
		}
	}
}
