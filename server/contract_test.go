package server_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The specification's client code runs unchanged against this server, on a
// clock that both share.
func TestTheSpecificationsClient(t *testing.T) {
	specification, err := filepath.Abs("../../shared/contract/session-management.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(specification); errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED: the specification is not beside this repository (../shared/contract)")
	}
	skipOrFail := t.Skip
	if os.Getenv("CI") == "true" {
		skipOrFail = t.Fatal
	}
	if _, err := exec.LookPath("node"); err != nil {
		skipOrFail("NOT RUN: node is missing")
	}
	if _, err := os.Stat("../test/contract/node_modules"); err != nil {
		skipOrFail("NOT RUN: make test installs what this test needs (npm ci in test/contract)")
	}
	w := newWorld(t)
	control := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if ms, err := strconv.ParseInt(r.URL.Query().Get("ms"), 10, 64); err == nil {
			w.clock.Advance(time.Duration(ms) * time.Millisecond)
		}
		fmt.Fprint(rw, w.clock.Now().UnixMilli())
	}))
	defer control.Close()
	cmd := exec.CommandContext(t.Context(), "node", "contract.mjs", specification, w.url, control.URL)
	cmd.Dir = "../test/contract"
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
