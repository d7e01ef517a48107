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
func RunManual(t *testing.T, server string) {
	node.Project(t, "../sdk")
	run(t, "docs.mjs", server)
}

// RunClient signs in by the browser's client against the server at an address,
// whose texts name an origin; identities is that of [Identities].
func RunClient(t *testing.T, server, origin, identities string) {
	node.Project(t, "../sdk")
	run(t, "sdk.mjs", server, origin, identities)
}

func run(t *testing.T, program ...string) {
	t.Helper()
	dir := node.Project(t, "wallets")
	cmd := exec.CommandContext(t.Context(), "node", program...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
