package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory, so that hours of waiting take
// no time.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.accept <- theirs
	return ours
}

// servePipes serves the public listener's handler with the program's own
// bounds over connections in memory.
func servePipes(t *testing.T) *pipes {
	t.Helper()
	c := DefaultConfig()
	c.PublicURL, c.Data, c.Anonymous.Artifacts = "https://sessions.example.org", t.TempDir(), Unpacked
	off := false
	c.Limits.Enabled = &off
	log, m := slog.New(slog.DiscardHandler), newMetrics()
	service, store, err := Open(t.Context(), c, log, m)
	if err != nil {
		t.Fatal(err)
	}
	handlers, err := c.handlers(service, nil, nil, nil, log, m)
	if err != nil {
		t.Fatal(err)
	}
	l, s := newPipes(), newHTTPServer(handlers[0], log)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		store.Close()
	})
	return l
}

// slowClients open so many connections each, and all behave alike.
const slowClients = 300

// API-02: whoever is slow is cut off when its time is over, to the second, and
// nobody beside it waits.
func TestSlowClientsAreCutOff(t *testing.T) {
	const head = "POST /api/auth/sessions/refresh HTTP/1.1\r\nHost: sessions.example.org\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
	for name, c := range map[string]struct {
		start  string        // sent at once
		drip   string        // and then this, again and again,
		every  time.Duration // so often
		within time.Duration // it is cut off
		answer string        // what it may be told before
	}{
		"silent":                  {"", "", time.Hour, readHeaderTimeout, ""},
		"a drop of a first line":  {"P", "O", 700 * time.Millisecond, readHeaderTimeout, "400"},
		"a drop of the fields":    {"GET /healthz HTTP/1.1\r\nX: ", "x", 100 * time.Millisecond, readHeaderTimeout, ""},
		"a field now and then":    {"GET /healthz HTTP/1.1\r\n", "X: y\r\n", 700 * time.Millisecond, readHeaderTimeout, ""},
		"silent after the fields": {head + "\r\n", "", time.Hour, readTimeout, "400"},
		"a drop of the body":      {head + "\r\n", " ", 700 * time.Millisecond, readTimeout, "400"},
		"a drop of a chunk":       {strings.Replace(head, "Content-Length: 1000", "Transfer-Encoding: chunked", 1) + "\r\n", "1\r\n \r\n", 700 * time.Millisecond, readTimeout, "400"},
		"silent after an answer":  {"GET /healthz HTTP/1.1\r\nHost: sessions.example.org\r\n\r\n", "", time.Hour, idleTimeout, "200"},
		// The next request begins for net/http with its fourth byte.
		"a drop after an answer": {"GET /healthz HTTP/1.1\r\nHost: sessions.example.org\r\n\r\nG", "E", time.Second, 3*time.Second + readHeaderTimeout, "200"},
		"a preface of HTTP/2":    {"PRI * HTTP/2.0\r\n\r\n", "", time.Hour, readHeaderTimeout, "421"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := servePipes(t)
				began := time.Now()
				var all sync.WaitGroup
				for range slowClients {
					all.Go(func() {
						conn := l.dial()
						defer conn.Close()
						gone, drips := make(chan struct{}), make(chan struct{})
						go func() {
							defer close(drips)
							io.WriteString(conn, c.start)
							for c.drip != "" {
								select {
								case <-gone:
									return
								case <-time.After(c.every):
								}
								if _, err := io.WriteString(conn, c.drip); err != nil {
									return
								}
							}
						}()
						text, _ := io.ReadAll(conn)
						if took := time.Since(began); took > c.within+time.Second || c.within > time.Second && took < c.within-time.Second && c.answer != "421" {
							t.Errorf("cut off after %v, not %v", took, c.within)
						}
						if got := string(text); c.answer == "" && got != "" || !strings.HasPrefix(strings.TrimPrefix(got, "HTTP/1.1 "), c.answer) {
							t.Errorf("it was told %q", got)
						}
						close(gone)
						<-drips
					})
				}
				beside := &http.Client{Transport: &http.Transport{
					DialContext: func(context.Context, string, string) (net.Conn, error) { return l.dial(), nil },
				}}
				for range 5 {
					time.Sleep(900 * time.Millisecond)
					asked := time.Now()
					res, err := beside.Get("http://sessions.example.org/readyz")
					if err != nil {
						t.Fatal(err)
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					if waited := time.Since(asked); res.StatusCode != 200 || waited > 0 {
						t.Errorf("beside it: %d after %v", res.StatusCode, waited)
					}
				}
				all.Wait()
				beside.CloseIdleConnections()
			})
		})
	}
}

// A client that asks and does not read its answers is cut off too.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := servePipes(t)
		conn := l.dial()
		defer conn.Close()
		began := time.Now()
		for {
			if _, err := io.WriteString(conn, "GET /openapi.yaml HTTP/1.1\r\nHost: sessions.example.org\r\n\r\n"); err != nil {
				break
			}
		}
		if took := time.Since(began); took > writeTimeout+time.Second {
			t.Errorf("cut off after %v", took)
		}
	})
}

// API-02: more than 16 KiB of header is 431 and nothing else, however it comes.
func TestAHeaderFloodIs431(t *testing.T) {
	chain, key, pool := writeCertificate(t, t.TempDir())
	at := runTLS(t, chain, key)
	for name, flood := range map[string]string{
		"one long field":     "X: " + strings.Repeat("x", maxHeaderBytes) + "\r\n",
		"many fields":        strings.Repeat("X: y\r\n", maxHeaderBytes/6+1),
		"many cookies":       strings.Repeat("Cookie: a=b\r\n", maxHeaderBytes/12+1),
		"a long target":      "",
		"a megabyte":         "X: " + strings.Repeat("x", 1<<20) + "\r\n",
		"a name without end": strings.Repeat("x", maxHeaderBytes+1),
	} {
		conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		path := "/healthz"
		if flood == "" {
			path = "/" + strings.Repeat("x", maxHeaderBytes)
		}
		go fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", path, flood)
		text, err := io.ReadAll(conn)
		if !strings.HasPrefix(string(text), "HTTP/1.1 431 ") || strings.Count(string(text), "HTTP/1.1") != 1 || strings.Contains(string(text), "xxx") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		conn.Close()
	}
	// What honest clients send has room: three quarters of it.
	conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %s\r\n\r\n", strings.Repeat("x", 12<<10-64))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("12 KiB of header: %v, %v", res, err)
	}

	two := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer two.CloseIdleConnections()
	for size, want := range map[int]int{11 << 10: 200, 16 << 10: 431, 60 << 10: 431} {
		req, _ := http.NewRequest("GET", "https://"+at+"/healthz", nil)
		req.Header.Set("X", strings.Repeat("x", size))
		res, err := two.Do(req)
		if err != nil {
			// The library's client knows the server's bound and does not even send it, or
			// the server has enough in the midst of it and ends the connection.
			if want == 431 && (strings.Contains(err.Error(), "header") || strings.Contains(err.Error(), "GOAWAY")) {
				continue
			}
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want || res.ProtoMajor != 2 {
			t.Errorf("%d bytes of header over HTTP/%d: %d", size, res.ProtoMajor, res.StatusCode)
		}
	}
}
