package mutation

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// clientMutation replaces old by new, which stands once in a file of sdk/src.
type clientMutation struct{ file, old, new string }

// killEach expects that one of the client's tests, all in a file of sdk, fails with
// each mutation.
func killEach(t *testing.T, tests string, mutations []clientMutation) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(root, "sdk", "src")
	if *run {
		node.Project(t, "../sdk")
		if out, err := testClient(t, root, tests, "", ""); err != nil {
			t.Fatalf("without a mutation: %s", out)
		}
	}
	for i, m := range mutations {
		t.Run(fmt.Sprintf("%02d %s", i+1, m.file), func(t *testing.T) {
			text := replaced(t, filepath.Join(source, m.file), m.old, m.new)
			if !*run {
				return // the list at least fits the code
			}
			out, err := testClient(t, root, tests, m.file, text)
			switch {
			case err == nil:
				t.Errorf("survived:\n- %s\n+ %s\n%s", m.old, m.new, out)
			case !strings.Contains(string(out), "Failed Tests"):
				t.Errorf("no test tells of it: %s", out)
			}
		})
	}
}

// testClient runs a file of the client's tests in a copy in which one file has a
// text.
func testClient(t *testing.T, root, tests, file, text string) ([]byte, error) {
	dir := t.TempDir()
	sdk := filepath.Join(dir, "sdk")
	for _, part := range []string{"src", "test"} {
		if err := os.CopyFS(filepath.Join(sdk, part), os.DirFS(filepath.Join(root, "sdk", part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"sdk/node_modules", "sdk/package.json", "sdk/tsconfig.json", "sdk/vitest.config.ts", "anonymous"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		if err := os.WriteFile(filepath.Join(sdk, "src", file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npx", "--no-install", "vitest", "run", "--bail=1", tests)
	cmd.Dir = sdk
	return cmd.CombinedOutput()
}
