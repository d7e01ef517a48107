package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/store/storetest"
)

// The real program, told to stop or killed while it writes a backup: no file of
// the backup's name is there, and the next backup leaves nothing else.
func TestABackupThatIsStoppedLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	data, to := filepath.Join(dir, "data"), filepath.Join(dir, "backup")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	fillDatabase(t, filepath.Join(data, "sessions.db"), 60_000)
	exists := func(path string) bool {
		_, err := os.Stat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		cmd := exec.Command(binary, "backup", "--data", data, "--to", to)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for size := int64(0); size == 0; runtime.Gosched() { // until it writes
			if info, err := os.Stat(to + ".part"); err == nil {
				size = info.Size()
			}
			select {
			case err := <-ended:
				t.Fatalf("it was over before it was stopped: %v", err)
			default:
			}
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%v: it went on", signal)
			}
		case <-time.After(20 * time.Second):
			cmd.Process.Kill()
			t.Fatalf("%v did not stop it", signal)
		}
		if exists(to) {
			t.Errorf("%v: half a backup has its name", signal)
		}
		if signal == syscall.SIGTERM && exists(to+".part") {
			t.Errorf("%v: the unfinished file is left", signal)
		}
	}
	if out, err := exec.Command(binary, "backup", "--data", data, "--to", to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !exists(to) || exists(to+".part") {
		t.Error("after a kill the next backup does not clean up")
	}
	if c, err := sqlite.Inspect(t.Context(), to, true); err != nil || c.Sessions != 60_000 {
		t.Errorf("%d sessions, %v", c.Sessions, err)
	}
}

// fillDatabase makes a database of n sessions.
func fillDatabase(t *testing.T, path string, n int) {
	t.Helper()
	store, err := sqlite.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	changes := make([]session.Change, 500)
	for range n / len(changes) {
		for i := range changes {
			row := storetest.Session(time.Now())
			changes[i] = session.Change{Insert: []session.Session{row}, Records: []session.Record{{Action: session.ActionCreate, At: row.CreatedAt, SessionID: row.ID}}}
		}
		for _, err := range store.Apply(context.Background(), changes...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
