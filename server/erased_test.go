package server_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// userOf is the user whom a session is of.
func (w *world) userOf(p api.Tokens) string {
	w.t.Helper()
	return data[api.Validation](w.t, w.validate(p.SessionToken)).UserID
}

// known reports whether the operator can find the person's user: a block of one
// whom nobody knows is refused.
func (w *world) known(user string) bool {
	w.t.Helper()
	a := w.act("POST", "/subjects/"+user+"/block", w.operatorKey(), api.OperatorRequest{Reason: "whether they are there"})
	if a.Status != 200 && a.Status != 404 {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	return a.Status == 200
}

// PRI-04: who was erased stays erased when an older backup is restored, cut off
// anywhere, whichever way it is told who was: by the database in place, a list
// that was kept apart, or a later backup. Restored where none of them is, it is
// refused.
func TestARestoreBringsNobodyBackWhoWasErased(t *testing.T) {
	w := newWorld(t)
	gone := w.userOf(w.signIn(api.CreateRequest{}))
	licensee := w.person
	w.want(w.act("POST", "/professionals", w.operatorKey(), api.AddProfessionalRequest{
		Accounts: []api.Account{{Chain: "icp", Address: licensee.Principal()}}, Reason: "by mail",
		Licences: []api.Licence{{Number: "7", Authority: "Board", Jurisdiction: "DE-BY", Status: "verified", ValidUntil: "2027-12-31"}},
	}), 201, "")
	w.person = w.newPerson()
	stays := w.userOf(w.signIn(api.CreateRequest{}))
	backup := w.backup()
	w.clock.Advance(time.Second)
	w.want(w.act("DELETE", "/users/"+gone, w.operatorKey(), api.OperatorRequest{Reason: "at their own wish"}), 200, "")
	later := w.backup()
	l, err := server.Erased(t.Context(), w.config()) // beside the running server
	if err != nil || len(l.Marks) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	text := l.String()
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, gone) || strings.Contains(text, gone[len("user_"):]) {
		t.Errorf("the list names who was erased: %s", text)
	}
	w.stop()
	origin := w.data
	folder := func(database string) {
		t.Helper()
		w.data = filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(w.data, os.DirFS(origin)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(w.data, "master.key"), 0o600); err != nil {
			t.Fatal(err)
		}
		switch database {
		case "gone":
			err = os.Remove(filepath.Join(w.data, "sessions.db"))
		case "damaged":
			err = os.WriteFile(filepath.Join(w.data, "sessions.db"), bytes.Repeat([]byte("x"), 9000), 0o600)
		case "new": // somebody started the server before they restored
			err = os.Remove(filepath.Join(w.data, "sessions.db"))
			w.serve()
			w.stop()
		case "new and busy": // and it has more records than the backup by now
			err = os.Remove(filepath.Join(w.data, "sessions.db"))
			w.serve()
			for range l.Position + 1 {
				w.newOperator("viewer")
			}
			w.stop()
			if now, err := server.Erased(t.Context(), w.config()); err != nil || now.Position <= l.Position {
				t.Fatalf("record %d, %v", now.Position, err)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		w.serve()
		if w.known(gone) || !w.known(stays) {
			t.Errorf("%s: the erased one is back, or another is gone", when)
		}
		w.stop()
		b, err := os.ReadFile(filepath.Join(w.data, "sessions.db"))
		if err != nil || bytes.Contains(b, []byte(licensee.Principal())) {
			t.Errorf("%s: what they had is still there, %v", when, err)
		}
	}
	restore := func(erased ...string) {
		t.Helper()
		w.clock.Advance(time.Second)
		if r, err := server.Restore(t.Context(), w.config(), backup, erased...); err != nil || r.Erased != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	folder("there")
	restore()
	check("by the database in place")
	restore() // whose own trail tells it now
	check("restored again")

	for _, database := range []string{"gone", "damaged", "new", "new and busy"} {
		folder(database)
		if _, err := server.Restore(t.Context(), w.config(), backup); err == nil || !strings.Contains(err.Error(), "nobody can tell") {
			t.Errorf("%s, told by nothing: %v", database, err)
		}
		if _, err := server.Restore(t.Context(), w.config(), backup, backup); err == nil || !strings.Contains(err.Error(), "the backup itself") {
			t.Errorf("%s, told by the backup itself: %v", database, err)
		}
		for name, source := range map[string]string{"a list": list, "a later backup": later} {
			folder(database)
			restore(source)
			check(database + ", told by " + name)
		}
		folder(database)
		if r, err := server.Restore(t.Context(), w.config(), backup, server.NoErased); err != nil || r.Erased != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		w.serve()
		if !w.known(gone) {
			t.Error("the test finds nobody at all")
		}
		w.stop()
	}

	// Cut off behind any step, the next start finds nobody back.
	folder("there")
	var crashes []string
	if _, err := server.RestoreInSteps(t.Context(), w.config(), backup, nil, func(string) error {
		crashes = append(crashes, filepath.Join(t.TempDir(), "data"))
		return os.CopyFS(crashes[len(crashes)-1], os.DirFS(w.data))
	}); err != nil {
		t.Fatal(err)
	}
	for _, crash := range crashes {
		w.data = crash
		if err := os.Chmod(filepath.Join(crash, "master.key"), 0o600); err != nil {
			t.Fatal(err)
		}
		check("cut off")
	}
	if len(crashes) != 4 {
		t.Errorf("%d steps", len(crashes))
	}
}

// Whoever came and was erased since the backup is not in what was restored, nor is
// their record; a later backup of before may have them, so a list still does.
func TestAListKnowsWhomARestoreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.signIn(api.CreateRequest{})
	backup := w.backup()
	w.clock.Advance(time.Second)
	w.person = w.newPerson()
	gone := w.userOf(w.signIn(api.CreateRequest{}))
	w.want(w.act("DELETE", "/users/"+gone, w.operatorKey(), api.OperatorRequest{Reason: "at their own wish"}), 200, "")
	w.stop()
	if _, err := server.Restore(t.Context(), w.config(), backup); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if l, err := server.Erased(t.Context(), w.config()); err != nil || len(l.Marks) != 1 {
			t.Errorf("%s: %d marks, %v", when, len(l.Marks), err)
		}
	}
	check("restored")
	w.serve()
	check("started")
	w.stop()
}

// A list is taken whole, of this service and later than the backup, or not at
// all; and no server starts over one that it cannot read.
func TestAListOfErasedUsersIsWholeOrNone(t *testing.T) {
	w := newWorld(t)
	user := w.userOf(w.signIn(api.CreateRequest{}))
	w.want(w.act("DELETE", "/users/"+user, w.operatorKey(), api.OperatorRequest{Reason: "at their own wish"}), 200, "")
	early, err := server.Erased(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	w.signIn(api.CreateRequest{})
	backup := w.backup()
	good, err := server.Erased(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	w.stop()
	text := good.String()
	other := good
	other.Key = bytes.Repeat([]byte{7}, 16)
	list := filepath.Join(t.TempDir(), "list")
	for name, c := range map[string]struct{ text, want string }{
		"cut off":          {text[:len(text)-20], "not a whole one"},
		"without its end":  {strings.TrimSuffix(text, "\n"), "not a whole one"},
		"one more":         {text + strings.Repeat("0", 32) + "\n", "not a whole one"},
		"capitals":         {strings.ToUpper(text), "no list"},
		"empty":            {"", "no list"},
		"another's":        {other.String(), "another master key"},
		"older":            {early.String(), "older than the backup"},
		"lines of windows": {strings.ReplaceAll(text, "\n", "\r\n"), "no list"},
	} {
		if err := os.WriteFile(list, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Restore(t.Context(), w.config(), backup, list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := server.Restore(t.Context(), w.config(), backup, filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a list that is not there was passed over")
	}
	if _, err := os.Stat(filepath.Join(w.data, "restore_epoch")); err == nil {
		t.Error("a restore that was refused raised the epoch")
	}
	if err := os.WriteFile(filepath.Join(w.data, "erase_again"), []byte(text[:len(text)-20]), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, store, err := server.Open(t.Context(), w.config(), nil, nil); err == nil {
		store.Close()
		t.Error("a server started over a list that it cannot read")
	}
}

// A list that can be read says the same when it is written again.
func FuzzParseErased(f *testing.F) {
	l := server.ErasedList{Key: make([]byte, 16), Position: 7, Marks: map[session.ErasureMark]bool{{1}: true, {2}: true}}
	f.Add(l.String())
	f.Add((&server.ErasedList{Key: make([]byte, 16)}).String())
	f.Add("sessiond: erased users, 1\nkey \nrecord 1\nmarks 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := server.ParseErased(text); err == nil && l.String() != text {
			t.Errorf("%q became %q", text, l.String())
		}
	})
}
