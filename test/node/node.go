// Package node finds the tests' Node projects.
package node

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Project returns the folder of test's project of that name. Where Node or what
// the project needs is missing the test is skipped and says so; in CI it fails.
func Project(t testing.TB, name string) string {
	t.Helper()
	skipOrFail := t.Skip
	if os.Getenv("CI") == "true" {
		skipOrFail = t.Fatal
	}
	if _, err := exec.LookPath("node"); err != nil {
		skipOrFail("NOT RUN: node is missing")
	}
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", name)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		skipOrFail("NOT RUN: make test installs what this test needs (npm ci in test/" + name + ")")
	}
	return dir
}
