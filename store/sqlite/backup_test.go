package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/storetest"
	"github.com/mentalverse/session/token"
)

// create is a sign-in as the service commits it.
func create(row session.Session) session.Change {
	return session.Change{Insert: []session.Session{row}, Records: []session.Record{{Action: session.ActionCreate, At: row.CreatedAt, SessionID: row.ID}}}
}

// fillStore signs n sessions in.
func fillStore(t *testing.T, s *Store, n int) (rows []session.Session) {
	t.Helper()
	changes := make([]session.Change, n)
	for i := range changes {
		rows = append(rows, storetest.Session(time.Now()))
		changes[i] = create(rows[i])
	}
	for len(changes) > 0 {
		k := min(len(changes), maxBatch)
		for _, err := range s.Apply(t.Context(), changes[:k]...) {
			if err != nil {
				t.Fatal(err)
			}
		}
		changes = changes[k:]
	}
	return rows
}

// A backup that is taken while sessions are made and ended holds one moment:
// each session has its records, and each record its session.
func TestABackupUnderLoadIsOneMoment(t *testing.T) {
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, 2000)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	var written atomic.Int64
	for range 8 {
		writers.Go(func() {
			for ctx.Err() == nil {
				row := storetest.Session(time.Now())
				if err := s.Apply(t.Context(), create(row))[0]; err != nil {
					t.Error(err)
					return
				}
				row.EndedAt, row.EndReason = time.Now(), session.EndLogout
				end := session.Change{Update: []session.Session{row}, Records: []session.Record{{Action: session.ActionEnd, At: row.EndedAt, SessionID: row.ID}}}
				if err := s.Apply(t.Context(), end)[0]; err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		})
	}
	dir := t.TempDir()
	var last int64
	for n := range 5 {
		to := filepath.Join(dir, fmt.Sprint(n))
		before := written.Load()
		c, err := Backup(t.Context(), s.path, to, false)
		if err != nil {
			t.Fatal(err)
		}
		if c.Sessions < 2000+before || c.Records <= last {
			t.Errorf("it holds %d sessions and %d records, %d were there before it", c.Sessions, c.Records, 2000+before)
		}
		last = c.Records
		checkOneMoment(t, to)
	}
	stop()
	writers.Wait()
	if written.Load() == 0 {
		t.Error("nobody wrote")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Errorf("%d files beside five backups, %v", len(files), err)
	}
}

// checkOneMoment holds the rows of a copy against its records.
func checkOneMoment(t *testing.T, path string) {
	t.Helper()
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for what, query := range map[string]string{
		"sessions without a record": "SELECT count(*) FROM sessions WHERE id NOT IN (SELECT session_id FROM records WHERE action='" + string(session.ActionCreate) + "')",
		"records without a session": "SELECT count(*) FROM records WHERE session_id NOT IN (SELECT id FROM sessions)",
		"ends without a record":     "SELECT count(*) FROM sessions WHERE ended_at<>0 AND id NOT IN (SELECT session_id FROM records WHERE action='" + string(session.ActionEnd) + "')",
		"records of no end":         "SELECT count(*) FROM records WHERE action='" + string(session.ActionEnd) + "' AND session_id NOT IN (SELECT id FROM sessions WHERE ended_at<>0)",
	} {
		st, _, err := c.Prepare(query)
		if err != nil {
			t.Fatal(err)
		}
		if !st.Step() {
			t.Fatal(st.Err())
		}
		if n := st.ColumnInt(0); n != 0 {
			t.Errorf("%d %s", n, what)
		}
		st.Close()
	}
}

// patience is a context that is cancelled when it has been asked so often.
type patience struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func (p *patience) Err() error {
	if p.left.Add(-1) < 0 {
		p.cancel()
	}
	return p.Context.Err()
}

// Wherever a backup is stopped, its file is whole or not there, and nothing
// else is left.
func TestAStoppedBackupLeavesNoFile(t *testing.T) {
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, 20_000)
	dir := t.TempDir()
	to := filepath.Join(dir, "backup")
	stopped := 0
	for n := int64(0); ; n = n*2 + 1 {
		ctx, cancel := context.WithCancel(t.Context())
		p := &patience{Context: ctx, cancel: cancel}
		p.left.Store(n)
		_, err := Backup(p, s.path, to, false)
		cancel()
		if err == nil {
			break
		}
		stopped++
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at %d: %v", n, err)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
			t.Fatalf("stopped at %d: %v, %v", n, files, err)
		}
	}
	if stopped < 3 {
		t.Errorf("it was stopped %d times", stopped)
	}
	checkOneMoment(t, to)
}

// The same for each write of it that fails, as on a full disk.
func TestABackupThatCannotBeWrittenLeavesNoFile(t *testing.T) {
	f := &faults{VFS: vfs.Find("os"), kind: "write", err: syscall.ENOSPC, lasts: 1 << 40}
	f.after.Store(1 << 40)
	vfs.Register("backup", f)
	defer vfs.Unregister("backup")
	path := filepath.Join(t.TempDir(), "s.db")
	s := open1(t, path)
	fillStore(t, s, 200)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	to := filepath.Join(dir, "backup")
	for n := int64(0); ; n++ {
		from := newStore(path)
		from.vfs = "backup"
		f.after.Store(n)
		_, err := from.backup(t.Context(), to, false)
		f.after.Store(1 << 40)
		if err == nil {
			if n == 0 {
				t.Error("nothing failed")
			}
			break
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
			t.Fatalf("write %d: %v, %v", n, files, err)
		}
	}
	checkOneMoment(t, to)
}

func TestABackupReplacesOnlyABackup(t *testing.T) {
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	fillStore(t, s, 1)
	dir := t.TempDir()
	name := func(name, text string) string {
		path := filepath.Join(dir, name)
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	live := open1(t, name("live.db", ""))
	if err := os.Symlink(s.path, name("link", "")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(s.path), name("folder", "")); err != nil {
		t.Fatal(err)
	}
	for what, to := range map[string]string{
		"the database":        s.path,
		"its log":             s.path + "-wal",
		"a name beside it":    filepath.Join(filepath.Dir(s.path), "backup"),
		"the same, by a link": filepath.Join(dir, "folder", "backup"),
		"another server's":    live.path,
		"a link":              filepath.Join(dir, "link"),
		"a key":               name("master.key", "0001020304"),
		"a folder":            dir,
		"in no folder":        filepath.Join(dir, "none", "backup"),
	} {
		if _, err := Backup(t.Context(), s.path, to, true); err == nil {
			t.Errorf("it was written over %s", what)
		}
	}
	to := filepath.Join(dir, "backup")
	if _, err := Backup(t.Context(), s.path, to, false); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Backup(t.Context(), s.path, to, false); err == nil {
		t.Error("it was written over an older one")
	}
	// What a killed one left, readable by others, is taken over.
	if err := os.WriteFile(to+".part", []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	fillStore(t, s, 1)
	c, err := Backup(t.Context(), s.path, to, true)
	if err != nil || c.Sessions != 2 {
		t.Errorf("%d sessions, %v", c.Sessions, err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 || size(t, to+".part") >= 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// A second one of the same name has to wait.
	part, err := claimPart(to + ".part")
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	if _, err := Backup(t.Context(), s.path, to, true); err == nil {
		t.Error("two backups wrote one file")
	}
}

// What was swept is not in a backup, even where the database's own file has it
// still: here nothing is zeroed.
func TestWhatWasSweptIsInNoBackup(t *testing.T) {
	s := open1(t, filepath.Join(t.TempDir(), "s.db"))
	if err := s.write.Exec("PRAGMA secure_delete=OFF"); err != nil {
		t.Fatal(err)
	}
	row := storetest.Session(time.Now())
	row.DeviceLabel = "a label that nobody else has"
	row.ID = token.NewID(token.Standard, time.Now().Add(-time.Hour))
	if err := s.Apply(t.Context(), session.Change{Insert: []session.Session{row}})[0]; err != nil {
		t.Fatal(err)
	}
	fillStore(t, s, 100)
	if n, err := s.Sweep(t.Context(), session.SweepCut{Sessions: time.Now().Add(-time.Minute)}, 10); err != nil || n != 1 {
		t.Fatalf("%d swept, %v", n, err)
	}
	to := filepath.Join(t.TempDir(), "backup")
	if _, err := Backup(t.Context(), s.path, to, false); err != nil {
		t.Fatal(err)
	}
	if holds(t, to, row.DeviceLabel) {
		t.Error("the backup holds what was swept")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !holds(t, s.path, row.DeviceLabel) {
		t.Error("and so would a plain copy: this test shows nothing")
	}
}
