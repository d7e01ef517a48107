package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/test/node"
	"github.com/mentalverse/session/test/wallets"
)

// The browser's client in ten tabs of a real browser, against the real program,
// which loses, refuses and delays a tenth of the answers.
func TestTheClientInChromium(t *testing.T) {
	rounds := "40"
	if testing.Short() {
		rounds = "5"
	}
	inChromium(t, "sdk.mjs", []string{"--chaos"}, specification(t), rounds)
}

// The specification's code, as it stands there, beside ours at one server.
func TestTheSpecificationsPagesInChromium(t *testing.T) {
	inChromium(t, "specification.mjs", nil, specification(t))
}

// Pages that were left lie in the back/forward cache.
func TestPagesThatWereLeftShowNothingPrivateInChromium(t *testing.T) {
	inChromium(t, "left.mjs", nil)
}

// inChromium serves with the flags, and runs a program of test/browser with the
// browser, the server's origin, the folder of the built package and more.
func inChromium(t *testing.T, program string, flags []string, more ...string) {
	t.Helper()
	chromium := needChromium(t)
	dist := builtClient(t)
	listen, origin := freeOrigin(t, "http", "localhost")
	browse(t, t.TempDir(), append([]string{"--listen", listen, "--public-url", origin}, flags...), append([]string{program, chromium, origin, dist}, more...)...)
}

// specification is the file of the specification, which lies beside this
// repository.
func specification(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../shared/contract/session-management.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatal("NOT RUN: the specification is not beside this repository (../shared/contract)")
		}
		t.Skip("NOT RUN: the specification is not beside this repository (../shared/contract)")
	}
	return path
}

// builtClient builds the package's code, and returns where it is.
func builtClient(t *testing.T) string {
	t.Helper()
	dist := filepath.Join(t.TempDir(), "dist")
	if out, err := exec.CommandContext(t.Context(), filepath.Join(node.Project(t, "../sdk"), "build"), dist).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dist
}

// The client's wallets in a real browser: those that stand in the page, and
// Internet Identity in a window of its own, with what its canister signs.
func TestTheClientsWalletsInChromium(t *testing.T) {
	chromium := needChromium(t)
	dist := builtClient(t)
	dir := t.TempDir()
	ic := sessiontest.NewInternetComputer(sessiontest.Sharded)
	config := filepath.Join(dir, "network.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "icp_root_keys: [%x]\n", ic.Root.PublicKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	listen, origin := freeOrigin(t, "http", "localhost")
	browse(t, dir, []string{"--config", config, "--listen", listen, "--public-url", origin},
		"clientwallets.mjs", chromium, origin, wallets.Identities(t, ic, time.Now), dist)
}

// The bindings to React in a real browser: keyboards and slow hands at the
// warning, axe, the quick exit, and what React's own memory holds.
func TestReactInChromium(t *testing.T) {
	chromium := needChromium(t)
	node.Project(t, "../sdk")
	listen, origin := freeOrigin(t, "http", "localhost")
	browse(t, t.TempDir(), []string{"--listen", listen, "--public-url", origin}, "react.mjs", chromium, origin)
}

// Anonymous sign-in by the built package: against the real program, and against
// a crowd of thousands that somebody else keeps.
func TestTheAnonymousClientInChromium(t *testing.T) {
	chromium := needChromium(t)
	dist := builtClient(t)
	crowd := sessiontest.NewMembers("crowd.example.com", time.Now)
	crowd.Strangers(9000)
	crowd.Publish()
	mux := http.NewServeMux()
	mux.Handle("/", crowd)
	mux.HandleFunc("POST /grow", func(http.ResponseWriter, *http.Request) {
		crowd.Strangers(1)
		crowd.Publish()
	})
	members := httptest.NewServer(mux)
	defer members.Close()
	artifacts, err := filepath.Abs("../../anonymous/artifacts")
	if err != nil {
		t.Fatal(err)
	}
	listen, origin := freeOrigin(t, "http", "localhost")
	browse(t, t.TempDir(), []string{"--listen", listen, "--public-url", origin}, "anonymous.mjs", chromium, origin, dist, members.URL, artifacts)
}
