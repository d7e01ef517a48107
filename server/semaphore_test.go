package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/test/semaphore"
)

// Semaphore's own libraries sign in here.
func TestSemaphoresLibrariesSignIn(t *testing.T) {
	dir := t.TempDir()
	input := map[string]any{"prover": "library"}
	files := builtIn(t)
	for field, name := range map[string]string{"circuit": artifacts.Circuit, "key": artifacts.Key} {
		content, err := files.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		input[field] = path
	}
	signInUnderNode(t, input)
}

// The prover for browsers signs in with what the server hands out.
func TestTheBrowsersProverSignsIn(t *testing.T) {
	builtIn(t)
	scripts, err := filepath.Abs("../anonymous/prover/wasm")
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for field, name := range map[string]string{"prover": artifacts.Prover, "circuit": artifacts.Circuit, "key": artifacts.Key} {
		if digests[field], err = artifacts.Digest(name); err != nil {
			t.Fatal(err)
		}
	}
	signInUnderNode(t, map[string]any{"prover": "browser", "scripts": scripts, "digests": digests})
}

func builtIn(t *testing.T) *artifacts.Store {
	t.Helper()
	files, err := artifacts.Open("")
	if err != nil {
		if os.Getenv("CI") != "true" {
			t.Skip("NOT RUN: built without artifacts")
		}
		t.Fatal(err)
	}
	return files
}

// signInUnderNode makes the second member of a group go through everything.
func signInUnderNode(t *testing.T, input map[string]any) {
	t.Helper()
	semaphore.Project(t)
	w := newWorld(t, openGroup)
	w.newMember().enrol()
	w.clock.Advance(anonymous.Coarse) // a snapshot in each at most
	turn := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		epochs := anonymous.Epochs{}
		now := w.clock.Now()
		w.clock.Advance(epochs.EpochEnd(epochs.Epoch(now)).Sub(now) + time.Minute)
		w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
	}))
	defer turn.Close()
	input["server"], input["service"], input["token"], input["turn"] = w.url, service, w.newMember().token, turn.URL
	var shown []string
	semaphore.Run(t, &shown, input, "session.mjs")
	if len(shown) != 6 {
		t.Errorf("shown: %q", shown)
	}
	t.Log(shown)
}
