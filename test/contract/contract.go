// Package contract runs the specification's own client code, unchanged, under
// Node against a running server.
package contract

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// Run runs the specification's client against the server at an origin. control
// is the URL by which it moves a clock that both share; without one time is
// real, and only what takes seconds is shown. Where the specification does not
// lie beside this repository the test is skipped and says so; in CI it fails.
func Run(t *testing.T, server, control string) {
	t.Helper()
	dir := node.Project(t, "contract")
	skipOrFail := t.Skip
	if os.Getenv("CI") == "true" {
		skipOrFail = t.Fatal
	}
	specification := filepath.Join(dir, "../../../shared/contract/session-management.md")
	if _, err := os.Stat(specification); errors.Is(err, fs.ErrNotExist) {
		skipOrFail("NOT RUN: the specification is not beside this repository (../shared/contract)")
	}
	args := []string{"contract.mjs", specification, server}
	if control != "" {
		args = append(args, control)
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
