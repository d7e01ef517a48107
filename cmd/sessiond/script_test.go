package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mentalverse/session/api"
)

// The stories of testdata, told by the real program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			server := new(process)
			e.Values["server"], e.Values["group"] = server, new(fakeGroup)
			e.Defer(func() {
				if server.Cmd != nil {
					server.Process.Kill()
					server.Wait()
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": scriptServe, "halt": scriptHalt, "await": scriptAwait, "crash": scriptKill, "private": scriptPrivate, "certificate": scriptCertificate,
			"group": scriptGroup, "pseudonym": scriptPseudonym, "userid": scriptUserID,
			"principal": scriptPrincipal, "licences": scriptLicences, "suspend": scriptSuspend, "operator": scriptOperator,
		},
	})
}

// testscript's own stop ends a script as passed, and its kill and skip are as
// quiet: a story that has one of them may have told nothing.
func TestNoScriptEndsBeforeItsEnd(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(text), "\n-- ")
		for line := range strings.Lines(script) {
			if words := strings.Fields(line); len(words) > 0 && slices.Contains([]string{"stop", "kill", "skip"}, words[0]) {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}

// scriptServe starts a server over ./data, with further flags, for the sessiond
// commands that follow.
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	p, err := start(ts.MkAbs("."), args...)
	ts.Check(err)
	*ts.Value("server").(*process) = p
	ts.Setenv("SESSIOND_SERVER", p.url)
	ts.Setenv("SERVER_ADDRESS", p.url[len("http://"):])
	ts.Setenv("OPERATOR_ADDRESS", p.operator)
}

// scriptPseudonym sets PSEUDONYM to that of a saved session.
func scriptPseudonym(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(binary, "validate", "--server", ts.Getenv("SESSIOND_SERVER"), "--state", ts.MkAbs(args[0]))
	out, err := cmd.Output()
	ts.Check(err)
	var v api.Validation
	ts.Check(json.Unmarshal(out, &v))
	ts.Setenv("PSEUDONYM", v.AnonymousID)
}

// scriptUserID sets USERID to that of a session as signin printed it.
func scriptUserID(ts *testscript.TestScript, neg bool, args []string) {
	var o api.Session
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &o))
	ts.Setenv("USERID", o.UserID)
}

// scriptHalt asks the server to stop and waits until it has.
func scriptHalt(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("server").(*process)
	ts.Check(p.Process.Signal(syscall.SIGTERM))
	ts.Check(p.Wait())
	p.Cmd = nil
}

// scriptKill kills the server.
func scriptKill(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("server").(*process)
	ts.Check(p.Process.Kill())
	p.Wait()
	p.Cmd = nil
}

// scriptAwait runs sessiond until what it prints matches, for at most a minute:
// a server that has just started makes its group ready while it serves.
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		cmd := exec.Command(binary, append(args[1:], "--server", ts.Getenv("SESSIOND_SERVER"))...)
		cmd.Dir = ts.MkAbs(".")
		out, _ := cmd.CombinedOutput() // a refusal is no match
		if want.Match(out) {
			return
		}
		if time.Since(began) > time.Minute {
			ts.Fatalf("after a minute still:\n%s", out)
		}
	}
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

// scriptCertificate writes a certificate for localhost, and its key, that ends so
// long from now.
func scriptCertificate(ts *testscript.TestScript, neg bool, args []string) {
	left, err := time.ParseDuration(args[0])
	ts.Check(err)
	public, key, err := ed25519.GenerateKey(nil)
	ts.Check(err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(left),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}
