package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
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
	return process{cmd, strings.Fields(strings.SplitAfter(line, "ready on ")[1])[0]}, nil
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
