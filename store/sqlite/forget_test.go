package sqlite

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/storetest"
)

// What was overwritten or deleted is in no byte of the files a minute later:
// neither in the free parts of pages nor in the log. (A page that was split
// meanwhile may keep a copy in its free part until something takes the room.)
func TestWhatIsForgottenIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s.db")
		s := open1(t, path)
		defer s.Close()
		apply := func(c session.Change) {
			t.Helper()
			if err := s.Apply(t.Context(), c)[0]; err != nil {
				t.Fatal(err)
			}
		}
		found := func(what []byte) bool {
			t.Helper()
			for _, suffix := range []string{"", "-wal"} {
				b, err := os.ReadFile(path + suffix)
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(b, what) {
					return true
				}
			}
			return false
		}

		row := storetest.Session(time.Now())
		row.SteppedAt = time.Date(2026, 11, 25, 7, 41, 26, 123e6, time.UTC)
		moment := binary.BigEndian.AppendUint64(nil, uint64(row.SteppedAt.UnixMilli()))[2:] // as SQLite writes it
		swept := storetest.Session(time.Now().Add(-time.Hour))
		swept.Subject.ID = "user_whose-time-is-over"
		left := session.Member{UserID: "user_who-leaves", Current: session.Commitment{0: 1, 31: 0xfe}}
		copy(left.Current[8:], "a commitment of theirs")
		apply(session.Change{Insert: []session.Session{row, swept}, Members: []session.Member{left}})
		for i := range 40 { // who stay, and split pages
			other := storetest.Session(time.Now())
			apply(session.Change{Insert: []session.Session{other}, Members: []session.Member{{UserID: session.NewUserID(), Current: session.Commitment{0: 1, 31: byte(i)}}}})
		}
		gone := map[string][]byte{"a moment": moment, "a swept session": []byte(swept.Subject.ID), "a user who left": []byte(left.UserID), "their commitment": bytes.Clone(left.Current[:])}
		for name, what := range gone {
			if !found(what) {
				t.Errorf("%s was never there", name)
			}
		}

		row.SteppedAt = row.SteppedAt.Truncate(5 * time.Minute)
		left, err := s.Member(t.Context(), left.UserID)
		if err != nil {
			t.Fatal(err)
		}
		left.Current = session.Commitment{}
		apply(session.Change{Update: []session.Session{row}, Members: []session.Member{left}})
		if n, err := s.Sweep(t.Context(), session.SweepCut{Sessions: time.Now().Add(-time.Minute)}, 9); n != 1 || err != nil {
			t.Fatalf("swept %d, %v", n, err)
		}
		time.Sleep(walKept + time.Second)
		for name, what := range gone {
			if found(what) {
				t.Errorf("%s is still in the files", name)
			}
		}
		if _, err := s.Session(t.Context(), row.ID); err != nil {
			t.Error(err)
		}
	})
}
