// Package node finds the tests' Node projects.
package node

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Need skips the test, and says so, where Node is missing; in CI it fails.
func Need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		skipOrFail(t, "NOT RUN: node is missing")
	}
}

func skipOrFail(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Project returns the folder of test's project of that name. Where Node or what
// the project needs is missing the test is skipped and says so; in CI it fails.
func Project(t testing.TB, name string) string {
	t.Helper()
	Need(t)
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", name)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		skipOrFail(t, "NOT RUN: make test installs what this test needs (npm ci in test/"+name+")")
	}
	return dir
}
