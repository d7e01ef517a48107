package sqlite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/storetest"
	"github.com/mentalverse/session/token"
)

var faultsUpTo = flag.Int("faults", 30, "fail each of the first n writes, fsyncs and truncations in turn (seconds; 200 for all)")

// faults is a file system that fails its n-th operation of a kind, and a number
// after it.
type faults struct {
	vfs.VFS
	kind  string // write, sync, truncate
	err   error
	after atomic.Int64 // operations that still succeed
	lasts int64        // operations that then fail
}

func (f *faults) fail(kind string) error {
	if kind != f.kind {
		return nil
	}
	if n := f.after.Add(-1); n < 0 && n >= -f.lasts {
		return f.err
	}
	return nil
}

func (f *faults) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := f.VFS.Open(name, flags)
	return &faultyFile{file, f}, flags, err
}

func (f *faults) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(f.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &faultyFile{file, f}, flags, nil
}

type faultyFile struct {
	vfs.File
	faults *faults
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.faults.fail("write"); err != nil {
		n, _ := f.File.WriteAt(p[:len(p)/2], off) // torn
		return n, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Sync(flags vfs.SyncFlag) error {
	if err := f.faults.fail("sync"); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.faults.fail("truncate"); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultyFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// One write, fsync or truncation after another fails, for a while, in the midst
// of work. What was acknowledged is there, at once and after a restart; what
// was not is there wholly or not at all; nothing that ended lives again; and
// the store goes on by itself.
func TestNoFaultLosesWhatWasAcknowledged(t *testing.T) {
	for _, kind := range []string{"write", "sync", "truncate"} {
		for name, err := range map[string]error{"EIO": syscall.EIO, "ENOSPC": sqlite3.FULL} {
			t.Run(kind+" "+name, func(t *testing.T) {
				refused := 0
				for n := range *faultsUpTo {
					refused += faultAt(t, kind, err, int64(n))
					if t.Failed() {
						t.Fatalf("at %s number %d", kind, n)
					}
				}
				if refused == 0 && kind != "truncate" {
					t.Error("no change was refused: nothing failed")
				}
				t.Logf("%d changes were refused", refused)
			})
		}
	}
}

// faultAt works on a store whose n-th operation fails. It returns how many
// changes were refused.
func faultAt(t *testing.T, kind string, failure error, n int64) (refused int) {
	f := &faults{VFS: vfs.Find("os"), kind: kind, err: failure, lasts: 3}
	f.after.Store(1 << 40)
	name := fmt.Sprintf("faulty%d", nextVFS.Add(1))
	vfs.Register(name, joined{f})
	defer vfs.Unregister(name)
	path := filepath.Join(t.TempDir(), "s.db")
	defer os.Remove(path + ".reserve")
	s := newStore(path)
	s.vfs, s.reserve.every = name, time.Millisecond
	if _, err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.after.Store(n)

	at := time.Now()
	live, ended, maybe := map[token.ID]session.Session{}, map[token.ID]bool{}, map[token.ID]bool{}
	work := func(most int) (last error) {
		for range most {
			row := storetest.Session(at)
			create := session.Change{Insert: []session.Session{row}, Records: []session.Record{{Action: session.ActionCreate, At: at, SessionID: row.ID}}}
			if last = s.Apply(t.Context(), create)[0]; last != nil {
				refused++
				maybe[row.ID] = true
				continue
			}
			live[row.ID] = row
			row.EndedAt, row.EndReason = at, session.EndLogout
			end := session.Change{Update: []session.Session{row}, Records: []session.Record{{Action: session.ActionEnd, At: at, SessionID: row.ID}}}
			if len(live)%2 == 0 {
				continue
			}
			delete(live, row.ID)
			if last = s.Apply(t.Context(), end)[0]; last != nil {
				refused++
				maybe[row.ID] = true
			} else {
				ended[row.ID] = true
			}
		}
		return last
	}
	work(30)
	// The fault has passed, or is used up here, and the writer looks for room.
	for began := time.Now(); work(1) != nil && time.Since(began) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	if err := work(2); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
	check := func(s *Store, when string) {
		rows := map[token.ID]session.Session{}
		for id := range live {
			row, err := s.Session(t.Context(), id)
			if err != nil || row.Ended() {
				t.Errorf("%s: an acknowledged session: %v, ended %q", when, err, row.EndReason)
			}
			rows[id] = row
		}
		for id := range ended {
			row, err := s.Session(t.Context(), id)
			if err != nil || !row.Ended() {
				t.Errorf("%s: an acknowledged end: %v, ended %q", when, err, row.EndReason)
			}
			rows[id] = row
		}
		for id := range maybe {
			if row, err := s.Session(t.Context(), id); err == nil {
				rows[id] = row
			} else if !errors.Is(err, session.ErrNotFound) {
				t.Errorf("%s: %v", when, err)
			}
		}
		recorded := map[token.ID]map[session.Action]bool{}
		records, err := s.Records(t.Context(), 0, 1000)
		if err != nil {
			t.Errorf("%s: %v", when, err)
		}
		for _, r := range records {
			if recorded[r.SessionID] == nil {
				recorded[r.SessionID] = map[session.Action]bool{}
			}
			recorded[r.SessionID][r.Action] = true
		}
		for id, row := range rows {
			if !recorded[id][session.ActionCreate] || row.Ended() != recorded[id][session.ActionEnd] {
				t.Errorf("%s: a change without its record, or the reverse", when)
			}
		}
		if len(recorded) != len(rows) {
			t.Errorf("%s: %d sessions have records, %d are there", when, len(recorded), len(rows))
		}
	}
	check(s, "at once")
	f.after.Store(1 << 40)
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	again, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	check(again, "after a restart")
	return refused
}

var nextVFS atomic.Int64

// On a full disk only ends are taken, at once and without losing any; when
// there is room again, everything is, by itself.
func TestAFullDiskStillEndsSessions(t *testing.T) {
	f := &faults{VFS: vfs.Find("os"), kind: "write", err: sqlite3.FULL, lasts: 1 << 40}
	f.after.Store(1 << 40)
	vfs.Register("full", joined{f})
	defer vfs.Unregister("full")
	path := filepath.Join(t.TempDir(), "s.db")
	s := newStore(path)
	s.vfs, s.reserve.every = "full", time.Second
	if _, err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rows []session.Session
	for range 5 {
		row := storetest.Session(time.Now())
		rows = append(rows, row)
		if err := s.Apply(t.Context(), session.Change{Insert: []session.Session{row}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	if size(t, path+".reserve") != reserveSize {
		t.Fatal("nothing is in reserve")
	}

	f.after.Store(0)
	step := rows[0]
	step.Generation++
	if err := s.Apply(t.Context(), session.Change{Update: []session.Session{step}})[0]; !errors.Is(err, session.ErrFull) {
		t.Errorf("a step on a full disk: %v", err)
	}
	if size(t, path+".reserve") != 0 {
		t.Error("the reserve was not given up")
	}
	f.after.Store(1 << 40) // which made room
	for _, row := range rows[1:] {
		row.EndedAt, row.EndReason = time.Now(), session.EndLogout
		if err := s.Apply(t.Context(), session.Change{Update: []session.Session{row}})[0]; err != nil {
			t.Errorf("an end on a full disk: %v", err)
		}
	}
	urgent := session.Change{Cut: &session.Cut{Number: 1, At: time.Now()}, Urgent: true}
	if err := s.Apply(t.Context(), urgent)[0]; err != nil {
		t.Errorf("a right taken away on a full disk: %v", err)
	}
	// The writer finds room within its second, and takes everything again.
	deadline, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		err := s.Apply(t.Context(), session.Change{Update: []session.Session{step}})[0]
		if err == nil {
			break
		}
		if !errors.Is(err, session.ErrFull) || deadline.Err() != nil {
			t.Fatalf("it does not recover: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if size(t, path+".reserve") != reserveSize {
		t.Error("the reserve was not taken again")
	}
	for _, row := range rows[1:] {
		if got, err := s.Session(t.Context(), row.ID); err != nil || !got.Ended() {
			t.Errorf("%v, %v", got.EndReason, err)
		}
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
