package server_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// config is the world's, for a command beside its server.
func (w *world) config() server.Config {
	c := server.DefaultConfig()
	c.PublicURL, c.Data, c.Now = origin, w.data, w.clock.Now
	return c
}

func (w *world) backup() string {
	w.t.Helper()
	to := filepath.Join(w.t.TempDir(), "backup")
	if _, err := server.Backup(w.t.Context(), w.config(), to, false); err != nil {
		w.t.Fatal(err)
	}
	return to
}

// REV-07: at whatever step a restore is cut off, the server that is started next
// revives nothing, takes sign-ins, and lets the restore be done again.
func TestARestoreCutOffAnywhereRevivesNothing(t *testing.T) {
	w := newWorld(t)
	out, stays := w.signIn(api.CreateRequest{}), w.signIn(api.CreateRequest{})
	backup := w.backup() // of the running server
	w.want(w.call("POST", "/api/auth/sessions/logout", out.SessionToken, nil), 200, "")
	w.want(w.validate(stays.SessionToken), 200, "")
	w.stop()
	data, c := w.data, w.config()
	crashes := map[string]string{} // what a crash after a step would leave
	r, err := server.RestoreInSteps(t.Context(), c, backup, nil, func(step string) error {
		crashes[step] = filepath.Join(t.TempDir(), "data")
		return os.CopyFS(crashes[step], os.DirFS(data))
	})
	if err != nil || r.Epoch != 1 || r.Sessions != 2 || r.Open != 2 || r.Kept == "" || r.Damaged != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	if len(crashes) != 4 {
		t.Fatalf("%d steps", len(crashes))
	}
	for step, folder := range crashes {
		w.data = folder
		if err := os.Chmod(filepath.Join(folder, "master.key"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.serve()
		dead := func(when string, all ...api.Tokens) {
			for _, p := range all {
				if a := w.validate(p.SessionToken); a.Status != 401 {
					t.Errorf("after %q, %s: %d %s", step, when, a.Status, a.Body)
				}
				if a := w.refresh(p.RefreshToken); a.Status != 401 {
					t.Errorf("after %q, %s: a refresh: %d %s", step, when, a.Status, a.Body)
				}
			}
		}
		if step == "checked" { // nothing has been done yet
			w.want(w.validate(stays.SessionToken), 200, "")
			dead("at once", out)
		} else {
			dead("at once", out, stays)
		}
		fresh := w.signIn(api.CreateRequest{})
		w.want(w.validate(fresh.SessionToken), 200, "")
		w.stop()
		w.clock.Advance(time.Second)
		again, err := server.Restore(t.Context(), w.config(), backup)
		if err != nil {
			t.Fatalf("after %q: again: %v", step, err)
		}
		if want := map[bool]uint32{true: 1, false: 2}[step == "checked"]; again.Epoch != want {
			t.Errorf("after %q the epoch is %d, not %d", step, again.Epoch, want)
		}
		w.serve()
		dead("restored again", out, stays, fresh)
		w.want(w.validate(w.signIn(api.CreateRequest{}).SessionToken), 200, "")
		w.stop()
		if left, err := filepath.Glob(filepath.Join(folder, "*.restoring*")); err != nil || len(left) != 0 {
			t.Errorf("after %q: %v, %v", step, left, err)
		}
	}
}

// A step that fails stops the restore there, and leaves no copy.
func TestARestoreThatFailsLeavesNoCopy(t *testing.T) {
	w := newWorld(t)
	p := w.signIn(api.CreateRequest{})
	backup := w.backup()
	w.stop()
	broken := errors.New("broken")
	_, err := server.RestoreInSteps(t.Context(), w.config(), backup, nil, func(step string) error {
		if step == "old kept" {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(w.data, "*.restoring*")); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
	w.serve()
	w.want(w.validate(p.SessionToken), 401, api.SessionInvalid)
}

func TestARestoreIsRefused(t *testing.T) {
	w := newWorld(t)
	w.signIn(api.CreateRequest{})
	backup := w.backup()
	refused := func(c server.Config, want string) {
		t.Helper()
		if _, err := server.Restore(t.Context(), c, backup); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	refused(w.config(), "another server runs")
	w.stop()

	c := w.config()
	c.MasterKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	refused(c, "another master key")
	c = w.config()
	c.MasterKeyFile = filepath.Join(t.TempDir(), "none")
	refused(c, "no master key")
	c = w.config()
	c.Data = filepath.Join(t.TempDir(), "new")
	refused(c, "no master key")
	if made, err := filepath.Glob(filepath.Join(c.Data, "*")); err != nil || len(made) != 0 {
		t.Errorf("it made %v, %v", made, err)
	}

	c = w.config()
	epoch := uint32(0)
	c.RestoreEpoch = &epoch
	refused(c, "set it to 1")
	if _, err := os.Stat(filepath.Join(w.data, "restore_epoch")); err == nil {
		t.Error("a restore that was refused raised the epoch")
	}
	epoch = 1
	if r, err := server.Restore(t.Context(), c, backup); err != nil || r.Epoch != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	w.serve(func(c *server.Config) { c.RestoreEpoch = &epoch })
	w.stop()
	refused(c, "set it to 2")
}

// The epoch goes above every one that is known, wherever it stands.
func TestARestoreRaisesTheHighestEpoch(t *testing.T) {
	w := newWorld(t)
	early := w.backup()
	w.stop()
	write := func(n string) {
		if err := os.WriteFile(filepath.Join(w.data, "restore_epoch"), []byte(n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	restored := func(from string, want uint32) {
		t.Helper()
		w.clock.Advance(time.Second)
		if r, err := server.Restore(t.Context(), w.config(), from, server.NoErased); err != nil || r.Epoch != want {
			t.Errorf("epoch %d, want %d: %v", r.Epoch, want, err)
		}
	}
	write("5\n")
	w.serve()
	late := w.backup()
	w.stop()
	write("0\n")
	restored(early, 6) // the old database's is the highest
	write("0\n")
	restored(late, 6) // the file's is
	write("8\n")
	restored(early, 9)
	write("many")
	if _, err := server.Restore(t.Context(), w.config(), early); err == nil {
		t.Error("an epoch that is no number was passed over")
	}
}

// A backup opens nothing by itself: the master key is not in it.
func TestABackupHoldsNoMasterKey(t *testing.T) {
	w := newWorld(t)
	w.signIn(api.CreateRequest{})
	text, err := os.ReadFile(filepath.Join(w.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(w.backup())
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]byte{key, bytes.TrimSpace(text), bytes.ToUpper(bytes.TrimSpace(text))} {
		if bytes.Contains(b, form) {
			t.Error("the backup holds the master key")
		}
	}
}

// systemd hands a credential to its service with an access list, whose mask
// shows as the group's right to read.
func TestACredentialOfSystemdIsAMasterKey(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", folder)
	read := func(path string, mode os.FileMode) error {
		if err := os.WriteFile(path, []byte("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		c := server.DefaultConfig()
		c.Data, c.MasterKeyFile = t.TempDir(), path
		_, store, err := server.Open(t.Context(), c, nil, nil)
		if err == nil {
			err = store.Close()
		}
		return err
	}
	if err := read(filepath.Join(folder, "key"), 0o440); err != nil {
		t.Error(err)
	}
	if err := read(filepath.Join(folder, "key"), 0o444); err == nil {
		t.Error("one that everybody may read was taken")
	}
	if err := read(filepath.Join(t.TempDir(), "key"), 0o440); err == nil {
		t.Error("another file that a group may read was taken")
	}
}
