// Package wallets signs in to a running server under Node with the libraries
// that wallets and pages use.
package wallets

import (
	"os/exec"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// Run signs in with each chain's libraries against the server at an origin.
func Run(t *testing.T, server string) { run(t, "wallets.mjs", server) }

// RunManual runs the code of docs/wallets.md against the server at an origin.
func RunManual(t *testing.T, server string) { run(t, "docs.mjs", server) }

func run(t *testing.T, program, server string) {
	t.Helper()
	dir := node.Project(t, "wallets")
	cmd := exec.CommandContext(t.Context(), "node", program, server)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
