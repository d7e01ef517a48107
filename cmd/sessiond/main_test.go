package main

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/test/contract"
	"github.com/mentalverse/session/wallet/icp"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sessiond")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "sessiond")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// process is the real program, serving.
type process struct {
	*exec.Cmd
	url string
}

func serve(t *testing.T, dir string) process {
	t.Helper()
	cmd := exec.Command(binary, "serve", "--dev", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0",
		"--public-url", "http://localhost:8080", "--data", filepath.Join(dir, "data"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not come up: %v", err)
	}
	return process{cmd, strings.Fields(strings.SplitAfter(line, "ready on ")[1])[0]}
}

func (p process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Error(err)
	}
	p.Wait()
}

// run runs the small client and returns its output.
func run(t *testing.T, dir, url string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SESSIOND_SERVER="+url)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func TestTheSmallClient(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	defer p.kill(t)
	for _, step := range []struct {
		args []string
		want string
		fail bool
	}{
		{[]string{"validate"}, "run sessiond signin first", true},
		{[]string{"signin", "--device-label", "Firefox on Android"}, `"session_type": "standard"`, false},
		{[]string{"validate"}, `"valid": true`, false},
		{[]string{"validate", "--permission", "read:all_profiles"}, "permission_denied", true},
		{[]string{"refresh"}, `"session_expires_at"`, false},
		{[]string{"sessions"}, "Firefox on Android", false},
		{[]string{"keys", "--data", "data"}, "signing", false},
		{[]string{"sessions", "--end-others"}, "ended 0", false},
		{[]string{"logout"}, "logged out", false},
		{[]string{"version"}, "sessiond", false},
		{[]string{"config"}, "operator_listen", false},
	} {
		out, err := run(t, dir, p.url, step.args...)
		if (err != nil) != step.fail || !strings.Contains(out, step.want) {
			t.Errorf("%v: %v\n%s", step.args, err, out)
		}
	}
	for _, f := range []string{"sessiond-identity.pem", "data/master.key", "data/sessions.db"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// The specification's client code runs unchanged against the real program.
func TestTheSpecificationsClient(t *testing.T) {
	p := serve(t, t.TempDir())
	defer p.kill(t)
	contract.Run(t, p.url, "")
}

func TestConfigCheck(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"listen: 127.0.0.1:9000\n":                       "ok",
		"lisen: 127.0.0.1:9000\n":                        "lisen",
		"listen: a\nlisten: b\n":                         "already",
		"listen: nowhere\n":                              "host:port",
		"public_url: http://example.org\n":               "https",
		"algorithm: none\n":                              "EdDSA",
		"profile: lax\n":                                 "strict",
		"policies: {standard: {token_life: 48h}}\n":      "absolute life",
		"policies: {standard: {absolute_life: 9999h}}\n": "longer",
		"policies: {standard: {permissions: ['a b']}}\n": "permission's name",
		"public_url: https://\"x\n":                      "public_url",
		"":                                               "ok",
		"# only a remark\n":                              "ok",
	} {
		file := filepath.Join(dir, "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := run(t, dir, "", "config", "check", file)
		if (err == nil) != (want == "ok") || !strings.Contains(out, want) {
			t.Errorf("%q: %v\n%s", text, err, out)
		}
	}
}

// What was acknowledged before kill -9 holds after it.
func TestKillKeepsWhatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	type acknowledged struct {
		tokens api.Tokens
		ended  bool
		asked  bool // to log out: unless acknowledged, either may hold
	}
	var mu sync.Mutex
	var all []*acknowledged
	rounds := 10
	for range rounds {
		p := serve(t, dir)
		r := remote{Server: p.url}
		var wg sync.WaitGroup
		stop, halt := context.WithCancel(ctx)
		for range 4 {
			wg.Go(func() {
				for stop.Err() == nil {
					tokens, err := signIn(stop, r)
					if err != nil {
						continue
					}
					a := &acknowledged{tokens: tokens}
					mu.Lock()
					all = append(all, a)
					mu.Unlock()
					if rand.IntN(2) == 0 {
						a.asked = true
						if _, err := ask[api.Empty](stop, r, "POST", "/sessions/logout", tokens.SessionToken, nil); err == nil {
							a.ended = true
						}
						continue
					}
					if next, err := ask[api.Tokens](stop, r, "POST", "/sessions/refresh", "", api.RefreshRequest{RefreshToken: tokens.RefreshToken}); err == nil {
						a.tokens = next
					}
				}
			})
		}
		timer := time.NewTimer(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		<-timer.C
		p.kill(t)
		halt()
		wg.Wait()
	}
	p := serve(t, dir)
	defer p.kill(t)
	r := remote{Server: p.url}
	lost, revived, ended := 0, 0, 0
	for _, a := range all {
		_, err := ask[api.Session](ctx, r, "GET", "/sessions/current", a.tokens.SessionToken, nil)
		if a.ended {
			ended++
			if err == nil {
				revived++
			}
		} else if err != nil && !a.asked {
			lost++
		}
	}
	t.Logf("%d kills: %d sessions acknowledged, %d of them ended", rounds, len(all), ended)
	if lost > 0 || revived > 0 || len(all) == 0 {
		t.Errorf("%d lost, %d revived of %d", lost, revived, len(all))
	}
}

// signIn makes a fresh person and signs in.
func signIn(ctx context.Context, r remote) (api.Tokens, error) {
	id, err := icp.NewIdentity()
	if err != nil {
		return api.Tokens{}, err
	}
	c, err := ask[api.Challenge](ctx, r, "POST", "/challenge", "", api.ChallengeRequest{Chain: "icp", Address: id.Principal()})
	if err != nil {
		return api.Tokens{}, err
	}
	credential, err := id.Credential(c.Message)
	if err != nil {
		return api.Tokens{}, err
	}
	return ask[api.Tokens](ctx, r, "POST", "/sessions", credential, nil)
}
