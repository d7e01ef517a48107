package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
	url      string
	operator string // host:port
}

// start starts a server over dir/data and waits until it is ready.
func start(dir string, args ...string) (process, error) {
	cmd := exec.Command(binary, append([]string{"serve", "--dev", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0",
		"--public-url", "http://localhost:8080", "--data", filepath.Join(dir, "data")}, args...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return process{}, err
	}
	if err := cmd.Start(); err != nil {
		return process{}, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cmd.Wait()
		return process{}, fmt.Errorf("the program did not come up: %s", log.String())
	}
	operator := strings.TrimSuffix(strings.TrimSpace(strings.SplitAfter(line, "operators: http://")[1]), ")")
	return process{cmd, strings.Fields(strings.SplitAfter(line, "ready on ")[1])[0], operator}, nil
}

func serve(t *testing.T, dir string) process {
	t.Helper()
	p, err := start(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Error(err)
	}
	p.Wait()
}

// The specification's client code runs unchanged against the real program.
func TestTheSpecificationsClient(t *testing.T) {
	p := serve(t, t.TempDir())
	defer p.kill(t)
	contract.Run(t, p.url, "")
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
