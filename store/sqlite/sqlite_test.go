package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/storetest"
)

func open1(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) session.Store { return open1(t, filepath.Join(t.TempDir(), "s.db")) })
}

func TestASecondServerIsKeptOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	first := open1(t, path)
	if _, err := Open(t.Context(), path); err == nil {
		t.Fatal("a second server opened the same file")
	}
	reader, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := reader.AddKey(t.Context(), session.WrappedKey{}); err == nil {
		t.Error("a reader wrote")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open1(t, path)
}

func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := open1(t, path)
	if err := s.Apply(t.Context(), session.Change{Insert: []session.Session{storetest.Session(time.Now())}})[0]; err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", filepath.Base(f), info.Mode().Perm())
		}
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if err := os.WriteFile(path, []byte("this is no database, and long enough to have a header of its own"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil {
		t.Error("a text file was taken for a database")
	}
	newer := filepath.Join(t.TempDir(), "n.db")
	s := open1(t, newer)
	if err := s.write.Exec("PRAGMA user_version=99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(t.Context(), newer); err == nil {
		t.Error("a newer schema was taken")
	}
}

// The rules refuse it, and so does the compare-and-swap; the database is last.
func TestTheDatabaseRefusesToReviveASession(t *testing.T) {
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	row := storetest.Session(time.Now())
	if err := s.Apply(t.Context(), session.Change{Insert: []session.Session{row}})[0]; err != nil {
		t.Fatal(err)
	}
	row.EndedAt, row.EndReason = time.Now(), session.EndLogout
	if err := s.Apply(t.Context(), session.Change{Update: []session.Session{row}})[0]; err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"UPDATE sessions SET ended_at=0", "UPDATE sessions SET end_reason=''", "UPDATE sessions SET generation=9, ended_at=0, end_reason=''"} {
		if err := s.write.Exec(query); err == nil {
			t.Errorf("%s was done", query)
		}
	}
}
