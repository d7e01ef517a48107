package sqlite

import (
	"os"
	"path/filepath"
	"testing"
)

// The data folder may be a link, as under systemd's DynamicUser; the database
// may not.
func TestTheFolderMayBeALink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), filepath.Join(link, "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sessions.db", filepath.Join(real, "other.db")); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), filepath.Join(real, "other.db")); err == nil {
		t.Error("a linked database was opened")
		s.Close()
	}
}
