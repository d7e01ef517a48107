package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The stories of testdata, told by the real program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			server := new(process)
			e.Values["server"] = server
			e.Defer(func() {
				if server.Cmd != nil {
					server.Process.Kill()
					server.Wait()
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": scriptServe, "stop": scriptStop, "private": scriptPrivate,
		},
	})
}

// scriptServe starts a server over ./data, with further flags, for the sessiond
// commands that follow.
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	p, err := start(ts.MkAbs("."), args...)
	ts.Check(err)
	*ts.Value("server").(*process) = p
	ts.Setenv("SESSIOND_SERVER", p.url)
}

// scriptStop asks the server to stop and waits until it has.
func scriptStop(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("server").(*process)
	ts.Check(p.Process.Signal(syscall.SIGTERM))
	ts.Check(p.Wait())
	p.Cmd = nil
}

// scriptPrivate fails unless the files are their owner's alone.
func scriptPrivate(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if info.Mode().Perm() != 0o600 {
			ts.Fatalf("%s has mode %04o", name, info.Mode().Perm())
		}
	}
}
