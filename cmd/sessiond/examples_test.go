package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// The examples with React are built and used in a real browser, against the real
// program: one in the browser alone, one that a server renders first.
func TestTheExamplesInChromium(t *testing.T) {
	chromium := needChromium(t)
	sdk := node.Project(t, "../sdk")
	node.Project(t, "browser")
	pack := packedClient(t, sdk)
	var copies []string
	for _, name := range []string{"react", "ssr"} {
		copies = append(copies, exampleCopy(t, name, sdk, pack))
	}
	p := serve(t, t.TempDir())
	defer p.kill(t)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"examples.mjs", chromium, p.url}, copies...)...)
	cmd.Dir = filepath.Join("..", "..", "test", "browser")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// packedClient builds the browser's client as it is published, in a folder of
// the test's own.
func packedClient(t *testing.T, sdk string) string {
	t.Helper()
	pack := t.TempDir()
	build := exec.CommandContext(t.Context(), "./build", filepath.Join(pack, "dist"))
	build.Dir = sdk
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(sdk, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pack, "package.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return pack
}

// exampleCopy copies an example without what is installed there: its
// node_modules are the client under test, and what the client's own tests use.
func exampleCopy(t *testing.T, name, sdk, pack string) string {
	t.Helper()
	from, to := filepath.Join("..", "..", "examples", name), t.TempDir()
	for _, part := range []string{"package.json", "vite.config.js", "index.html", "src"} {
		source := filepath.Join(from, part)
		info, err := os.Stat(source)
		switch {
		case os.IsNotExist(err):
			continue // not every example has a page of its own
		case err != nil:
			t.Fatal(err)
		case info.IsDir():
			err = os.CopyFS(filepath.Join(to, part), os.DirFS(source))
		default:
			var b []byte
			if b, err = os.ReadFile(source); err == nil {
				err = os.WriteFile(filepath.Join(to, part), b, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	modules := filepath.Join(to, "node_modules")
	if err := os.MkdirAll(filepath.Join(modules, "@mentalverse"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(modules, "@mentalverse", "session"), os.DirFS(pack)); err != nil {
		t.Fatal(err)
	}
	for _, shared := range []string{"react", "react-dom", "vite"} {
		if err := os.Symlink(filepath.Join(sdk, "node_modules", shared), filepath.Join(modules, shared)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
