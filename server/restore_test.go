package server_test

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mentalverse/session/api"
)

// REV-07: the database of before a thousand logouts is put back. Without a
// raised epoch it would undo them all; with one, no session of it lives.
func TestARestoredBackupRevivesNothing(t *testing.T) {
	people := large(1000)
	if *long {
		people = 10_000
	}
	w := newWorld(t)
	w.many = true
	var all []api.Tokens
	w.issue(people, 1, func(p api.Tokens) { all = append(all, p) })
	w.stop()
	database := filepath.Join(w.data, "sessions.db")
	backup, err := os.ReadFile(database) // whole: a server that stops leaves no log beside it
	if err != nil {
		t.Fatal(err)
	}
	each := func(f func(api.Tokens) answer) (ok int64) {
		var wg sync.WaitGroup
		var n atomic.Int64
		slots := make(chan struct{}, 16)
		for _, p := range all {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				if f(p).Status == 200 {
					n.Add(1)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	validate := func(p api.Tokens) answer { return w.validate(p.SessionToken) }
	w.serve()
	if n := each(func(p api.Tokens) answer { return w.call("POST", "/api/auth/sessions/logout", p.SessionToken, nil) }); n != int64(people) {
		t.Fatalf("%d of %d logged out", n, people)
	}
	if n := each(validate); n != 0 {
		t.Fatalf("%d live after their logout", n)
	}
	w.stop()

	restore := func() {
		if err := os.WriteFile(database, backup, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, beside := range []string{"-wal", "-shm"} {
			if err := os.Remove(database + beside); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	restore()
	w.serve()
	if n := each(validate); n != int64(people) {
		t.Fatalf("the backup is none: it revives %d of %d", n, people)
	}
	w.stop()

	restore()
	if err := os.WriteFile(filepath.Join(w.data, "restore_epoch"), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.serve()
	if n := each(validate); n != 0 {
		t.Errorf("%d of %d sessions live again", n, people)
	}
	if n := each(func(p api.Tokens) answer { return w.refresh(p.RefreshToken) }); n != 0 {
		t.Errorf("%d of %d sessions can be refreshed", n, people)
	}
	if n := each(validate); n != 0 {
		t.Errorf("%d of %d sessions live after a refresh that was refused", n, people)
	}
	w.want(w.validate(w.signIn(api.CreateRequest{}).SessionToken), 200, "")
}
