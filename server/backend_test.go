package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/test/node"
	"github.com/mentalverse/session/token"
)

const nodeExample = "../examples/node"

// The example's own tests, against a service whose clock and feed they set.
func TestTheNodeExamplesOwnTests(t *testing.T) {
	node.Need(t)
	cmd := exec.CommandContext(t.Context(), "node", "--test")
	cmd.Dir = nodeExample
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// A back end in Node follows a running server: it opens for good sessions, hears of
// what ends, and within five seconds of hearing nothing more it opens for nobody.
func TestANodeBackEndFollowsSessions(t *testing.T) {
	for _, algorithm := range []token.Algorithm{token.EdDSA, token.ES256} {
		t.Run(string(algorithm), func(t *testing.T) {
			node.Need(t)
			w := newWorld(t, func(c *server.Config) {
				c.Now, c.Algorithm = time.Now, algorithm // Node has a clock of its own
			})
			way := newCutWay(t, strings.TrimPrefix(w.url, "http://"))
			backend := startBackend(t, "http://"+way.address(), w.newService("chat").Key)
			ask := func(token string) (int, string) {
				req, err := http.NewRequest("GET", backend+"/messages", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+token)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				return res.StatusCode, string(body)
			}
			want := func(token string, status int, text string) {
				t.Helper()
				if got, body := ask(token); got != status || !strings.Contains(body, text) {
					t.Errorf("%d %s, want %d %s", got, body, status, text)
				}
			}
			// until asks again and again, until there is another answer than this one.
			until := func(token string, status int) (lastBegun time.Time) {
				t.Helper()
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for range 1500 {
					begun := time.Now()
					if got, _ := ask(token); got != status {
						return lastBegun
					}
					lastBegun = begun
					<-tick.C
				}
				t.Fatal("the back end did not change its mind")
				return lastBegun
			}

			s, other := w.signIn(api.CreateRequest{}), w.signIn(api.CreateRequest{})
			narrow := w.signIn(api.CreateRequest{Permissions: []string{"read:profile"}})
			user := data[api.Validation](t, w.validate(s.SessionToken)).UserID
			want("forged", 401, "session_invalid")
			for range 3 {
				want(s.SessionToken, 200, user)
			}
			want(other.SessionToken, 200, user)
			want(narrow.SessionToken, 403, "write:messages")

			// Told by the feed.
			w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
			ended := time.Now()
			if last := until(s.SessionToken, 200); last.Sub(ended) > 5*time.Second {
				t.Errorf("a request begun %v after the end was let in", last.Sub(ended))
			}
			want(s.SessionToken, 401, "session_invalid")
			want(other.SessionToken, 200, user)

			// Not told: the way is cut, and the session ends behind it.
			way.cut()
			w.want(w.call("POST", "/api/auth/sessions/logout", other.SessionToken, nil), 200, "")
			ended = time.Now()
			if last := until(other.SessionToken, 200); last.Sub(ended) > 5*time.Second {
				t.Errorf("blind, and a request begun %v after the end was let in", last.Sub(ended))
			}
			want(other.SessionToken, 503, "unavailable")

			// The way is mended.
			way.mend()
			until(other.SessionToken, 503)
			want(other.SessionToken, 401, "session_invalid")
			want(w.signIn(api.CreateRequest{}).SessionToken, 200, user)
		})
	}
}

// startBackend starts the example's server and returns where it listens.
func startBackend(t *testing.T, url, key string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "service.key")
	writeGatewayFile(t, file, key+"\n")
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = nodeExample
	cmd.Env = append(os.Environ(), "SESSIOND_URL="+url, "SESSIOND_ISSUER="+origin, "SESSIOND_SERVICE_KEY_FILE="+file, "PORT=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the back end ended with %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cmd.Process.Kill()
		t.Fatal("the back end did not come up")
	}
	var at string
	if _, err := fmt.Sscanf(line, "listening on %s", &at); err != nil {
		t.Fatal(line)
	}
	return at
}

// cutWay leads to an address, until it is cut: then what was under way ends, and
// what comes gets no answer.
type cutWay struct {
	net.Listener
	mu    sync.Mutex
	isCut bool
	conns []net.Conn
}

func newCutWay(t *testing.T, to string) *cutWay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutWay{Listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(from, to, &all) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.cut()
		c.mend()
		all.Wait()
	})
	return c
}

func (c *cutWay) address() string { return c.Addr().String() }

func (c *cutWay) carry(from net.Conn, to string, all *sync.WaitGroup) {
	defer from.Close()
	on, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer on.Close()
	c.mu.Lock()
	c.conns = append(c.conns, from, on)
	silent := c.isCut
	c.mu.Unlock()
	if silent {
		io.Copy(io.Discard, from)
		return
	}
	all.Go(func() {
		io.Copy(on, from)
		on.Close()
	})
	io.Copy(from, on)
}

func (c *cutWay) cut() { c.set(true) }

func (c *cutWay) mend() { c.set(false) }

// set closes what is open, so that what comes finds the way as it is now.
func (c *cutWay) set(isCut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = isCut
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}
