// Package semaphore asks Semaphore's own libraries under Node for a second
// opinion on proofs, and runs the prover for browsers there. snarkjs, which
// the libraries use, is under the GPL: it serves tests and never ships.
package semaphore

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// Project skips the test, or fails it in CI, where Run could not run; for tests
// that prepare much.
func Project(t testing.TB) { node.Project(t, "semaphore") }

// Run runs one of this folder's scripts, hands it the input as JSON and reads
// its output into answer.
func Run(t testing.TB, answer, input any, script string, args ...string) {
	t.Helper()
	dir := node.Project(t, "semaphore")
	in, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(dir, script)}, args...)...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(in)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, problems.Bytes())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}
