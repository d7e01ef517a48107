package sqlite

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

func holds(t *testing.T, path, text string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte(text))
}

// crashed returns the path of a database as a killed server leaves it: half of
// what it committed stands in the log only.
func crashed(t *testing.T) string {
	t.Helper()
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, 50)
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		b, err := os.ReadFile(s.path + suffix)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "s.db"+suffix), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "s.db")
	if size(t, path+"-wal") == 0 {
		t.Fatal("nothing is in the log")
	}
	return path
}

// backupOf returns a backup of a store with n sessions.
func backupOf(t *testing.T, n int) string {
	t.Helper()
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, n)
	to := filepath.Join(t.TempDir(), "backup")
	if _, err := Backup(t.Context(), s.path, to, false); err != nil {
		t.Fatal(err)
	}
	return to
}

// Nothing of the old log reaches the database that takes the old one's place.
// What a killed server had committed is kept with the old one; a log whose
// database is gone is kept too.
func TestNothingOfTheOldLogIsAppliedToTheNewDatabase(t *testing.T) {
	backup := backupOf(t, 3)
	for what, damage := range map[string]func(path string) error{
		"a killed server's": func(string) error { return nil },
		"damaged": func(path string) error {
			noise := bytes.Repeat([]byte("damaged "), 4096)
			return errors.Join(os.WriteFile(path, noise, 0o600), os.WriteFile(path+"-wal", noise, 0o600))
		},
		"gone": os.Remove,
	} {
		path := crashed(t)
		log := size(t, path+"-wal")
		if err := damage(path); err != nil {
			t.Fatal(err)
		}
		r, err := Prepare(t.Context(), path, backup)
		if err != nil {
			t.Fatal(err)
		}
		if (r.OldErr != nil) != (what != "a killed server's") || r.New.Sessions != 3 || r.OldErr == nil && r.Old.Sessions != 50 {
			t.Errorf("%s: %v, %d new and %d old sessions", what, r.OldErr, r.New.Sessions, r.Old.Sessions)
		}
		kept := path + ".before"
		if err := errors.Join(r.Keep(t.Context(), kept), r.Put(), r.Close()); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range append(sideFiles, ".restoring") {
			if size(t, path+suffix) >= 0 {
				t.Errorf("%s: %s is left", what, suffix)
			}
		}
		if c, err := Inspect(t.Context(), path, true); err != nil || c.Sessions != 3 {
			t.Errorf("%s: %d sessions, %v", what, c.Sessions, err)
		}
		switch what {
		case "gone":
			if size(t, kept+"-wal") != log {
				t.Errorf("of the old log %d bytes are kept, not %d", size(t, kept+"-wal"), log)
			}
		case "damaged":
			if size(t, kept) != 8*4096 {
				t.Errorf("of the damaged one %d bytes are kept", size(t, kept))
			}
		default:
			if c, err := inspect(t.Context(), kept, "PRAGMA query_only=ON", true); err != nil || c.Sessions != 50 {
				t.Errorf("kept: %d sessions, %v", c.Sessions, err)
			}
		}
		s := open1(t, path)
		fillStore(t, s, 1)
	}
}

func TestWhatIsNoWholeBackupIsRefused(t *testing.T) {
	backup := backupOf(t, 500)
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	write := func(change func([]byte) []byte) string {
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, change(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	alter := func(query string) string {
		path := write(func(b []byte) []byte { return b })
		c, err := newStore(path).connect()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Exec(query), c.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, 7)
	if _, err := Prepare(t.Context(), s.path, backup); err == nil {
		t.Error("it was restored under a running server")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenReadOnly(t.Context(), s.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(t.Context(), s.path, backup); err == nil {
		t.Error("it was restored under a reader")
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := newStore(s.path).connect() // which takes no lock of ours
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Exec("BEGIN; SELECT * FROM meta"); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(t.Context(), s.path, backup); err == nil {
		t.Error("it was restored under another program")
	}
	if err := errors.Join(other.Exec("COMMIT"), other.Close()); err != nil {
		t.Fatal(err)
	}
	// What only the check of every page finds: nothing else reads this table.
	unread := write(func(b []byte) []byte {
		root := rootPage(t, backup, "nonces")
		copy(b[(root-1)*4096:], bytes.Repeat([]byte{0xa5}, 4096))
		return b
	})
	logged := write(func(b []byte) []byte { return b })
	if err := os.WriteFile(logged+"-wal", []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, from := range map[string]string{
		"half of it":         write(func(b []byte) []byte { return b[:len(b)/2] }),
		"all but a page":     write(func(b []byte) []byte { return b[:len(b)-4096] }),
		"one with no header": write(func(b []byte) []byte { return b[16:] }),
		"one with a page of something else": write(func(b []byte) []byte {
			copy(b[len(b)/2&^4095:], bytes.Repeat([]byte{0xa5}, 4096))
			return b
		}),
		"one with a table damaged": unread,
		"an empty file":            write(func([]byte) []byte { return nil }),
		"a newer schema":           alter("PRAGMA user_version=99"),
		"no schema":                alter("PRAGMA user_version=0"),
		"an older one's number":    alter("PRAGMA user_version=1"),
		"one with another trigger": alter("CREATE TRIGGER t AFTER INSERT ON sessions BEGIN DELETE FROM records; END"),
		"one with one less":        alter("DROP TRIGGER ended_is_final"),
		"one with a log":           logged,
		"the database itself":      s.path,
		"a folder":                 t.TempDir(),
		"nothing":                  filepath.Join(t.TempDir(), "none"),
	} {
		if r, err := Prepare(t.Context(), s.path, from); err == nil {
			t.Errorf("%s was taken", what)
			r.Close()
		}
	}
	for _, suffix := range append(sideFiles, ".restoring", ".restoring-wal", ".restoring-journal") {
		if size(t, s.path+suffix) >= 0 {
			t.Errorf("%s is left", suffix)
		}
	}
	s = open1(t, s.path)
	if _, err := s.Session(t.Context(), fillStore(t, s, 1)[0].ID); err != nil {
		t.Error(err)
	}
	if c, err := Inspect(t.Context(), s.path, true); err != nil || c.Sessions != 8 {
		t.Errorf("the database holds %d sessions, %v", c.Sessions, err)
	}
}

// While one database takes the other's place, nobody opens either; while
// somebody looks, it does not begin.
func TestNobodyLooksDuringARestore(t *testing.T) {
	backup := backupOf(t, 1)
	path := crashed(t)
	r, err := Prepare(t.Context(), path, backup)
	if err != nil {
		t.Fatal(err)
	}
	for what, open := range map[string]func() error{
		"a server": func() error { _, err := Open(t.Context(), path); return err },
		"a look":   func() error { _, err := Inspect(t.Context(), path, false); return err },
		"a reader": func() error { _, err := OpenReadOnly(t.Context(), path); return err },
		"a backup": func() error {
			_, err := Backup(t.Context(), path, filepath.Join(t.TempDir(), "backup"), false)
			return err
		},
		"a restore": func() error { _, err := Prepare(t.Context(), path, backup); return err },
	} {
		if open() == nil {
			t.Errorf("%s came between", what)
		}
	}
	if size(t, path+".restoring") < 0 {
		t.Error("another removed the copy")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	looks, err := lockFolder(path, syscall.LOCK_SH)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(t.Context(), path, backup); err == nil {
		t.Error("it began while somebody looked")
	}
	if err := looks.Close(); err != nil {
		t.Fatal(err)
	}
}

// rootPage is the number of a table's first page.
func rootPage(t *testing.T, path, table string) int {
	t.Helper()
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	st, _, err := c.Prepare("SELECT rootpage FROM sqlite_schema WHERE name='" + table + "'")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if !st.Step() {
		t.Fatal(st.Err())
	}
	return st.ColumnInt(0)
}

// A backup of an older program is one too; a server brings it up to date.
func TestAnOlderSchemaIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := newStore(path).connect()
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(runMigrations(c.Conn, files[:1]), c.Close()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r, err := Prepare(t.Context(), filepath.Join(dir, "s.db"), path)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(r.OldErr, fs.ErrNotExist) || r.New.Schema != 1 {
		t.Errorf("schema %d, %v", r.New.Schema, r.OldErr)
	}
	if err := errors.Join(r.Keep(t.Context(), filepath.Join(dir, "kept")), r.Put(), r.Close()); err != nil {
		t.Fatal(err)
	}
	s := open1(t, filepath.Join(dir, "s.db"))
	fillStore(t, s, 1)
	if now, err := Inspect(t.Context(), s.path, true); err != nil || now.Schema != now.Newest || now.Sessions != 1 {
		t.Errorf("schema %d, %d sessions, %v", now.Schema, now.Sessions, err)
	}
}
