package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Cookie mode in a real browser, against the real program.
func TestChromium(t *testing.T) {
	skipOrFail := t.Skip
	if os.Getenv("CI") == "true" {
		skipOrFail = t.Fatal
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		skipOrFail("NOT RUN: chromium is missing; make test installs it where it may")
	}
	if _, err := exec.LookPath("node"); err != nil {
		skipOrFail("NOT RUN: node is missing")
	}
	if _, err := os.Stat("../../test/browser/node_modules"); err != nil {
		skipOrFail("NOT RUN: make test installs what this test needs (npm ci in test/browser)")
	}
	for _, name := range []string{"localhost", "sessions.localhost"} {
		t.Run(name, func(t *testing.T) {
			origin := "http://" + net.JoinHostPort(name, strconv.Itoa(freePort(t)))
			p, err := start(t.TempDir(), "--listen", "127.0.0.1:"+origin[len("http://"+name+":"):], "--public-url", origin)
			if err != nil {
				t.Fatal(err)
			}
			defer p.kill(t)
			cmd := exec.CommandContext(t.Context(), "node", "browser.mjs", chromium, origin)
			cmd.Dir = filepath.Join("..", "..", "test", "browser")
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// freePort returns a port that was free a moment ago: a page must know its
// origin before its server starts.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
