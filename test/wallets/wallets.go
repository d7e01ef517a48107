// Package wallets signs in to a running server under Node with the libraries
// that wallets and pages use.
package wallets

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Run signs in with each chain's libraries against the server at an origin.
func Run(t *testing.T, server string) { run(t, "wallets.mjs", server) }

// RunManual runs the code of docs/wallets.md against the server at an origin.
func RunManual(t *testing.T, server string) { run(t, "docs.mjs", server) }

func run(t *testing.T, program, server string) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Dir(here)
	skipOrFail := t.Skip
	if os.Getenv("CI") == "true" {
		skipOrFail = t.Fatal
	}
	if _, err := exec.LookPath("node"); err != nil {
		skipOrFail("NOT RUN: node is missing")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		skipOrFail("NOT RUN: make test installs what this test needs (npm ci in test/wallets)")
	}
	cmd := exec.CommandContext(t.Context(), "node", program, server)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
