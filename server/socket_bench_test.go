package server_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

var benchSockets = flag.Int("sockets", 400, "how many sockets BenchmarkSockets opens (10000: needs 20,000 descriptors, and a minute)")

var endedSingly = flag.Int("singly", 20, "how many of BenchmarkSockets' sessions are ended one by one, while others are validated")

// bareSocket is a client that costs next to nothing: a connection, of which
// nobody reads until something is expected.
type bareSocket struct {
	session api.Tokens
	conn    net.Conn
}

// openBare opens a socket and reads its greeting.
func openBare(w *world, s api.Tokens) bareSocket {
	ticket := w.ticket(s.SessionToken)
	host := strings.TrimPrefix(w.url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s, %s%s\r\n\r\n",
		socketPath, host, api.SocketProtocol, api.TicketProtocol, ticket)
	b := bareSocket{s, conn}
	b.until(w.t, []byte(`"session_expires_at"`))
	return b
}

// until reads until the text has come.
func (b *bareSocket) until(t testing.TB, text []byte) {
	r := bufio.NewReaderSize(b.conn, 2048)
	var all []byte
	for !bytes.Contains(all, text) {
		c, err := r.ReadByte()
		if err != nil {
			t.Fatalf("%q: %v", all, err)
		}
		all = append(all, c)
	}
	io.CopyN(io.Discard, r, int64(r.Buffered()))
}

// closed reads until the server's close, answers it and hangs up.
func (b *bareSocket) closed(t testing.TB) {
	b.until(t, []byte("\x0f\xa1")) // 4001
	b.conn.Write([]byte("\x88\x82\x00\x00\x00\x00\x0f\xa1"))
	b.conn.Close()
}

// resident is how much memory the process has, in bytes.
func resident(t testing.TB) int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err) // it is Linux's to tell
	}
	var size, pages int
	fmt.Sscan(string(text), &size, &pages)
	return pages * os.Getpagesize()
}

// BenchmarkSockets opens many sockets, each of a session of its own; ends some
// of the sessions one by one, and all others at once. It tells how fast sockets
// open, what one costs in memory (its client in the same process included), how
// long after the answer of a logout its socket is closed, and how long a mass
// revocation takes from its call to the last close.
//
//	go test ./server -run '^$' -bench Sockets -benchtime 2x -sockets 9800 -singly 5000
func BenchmarkSockets(b *testing.B) {
	var took []time.Duration // of all rounds
	for b.Loop() {
		n := *benchSockets
		w := newWorld(b, func(c *server.Config) {
			c.Now, c.LogLevel, c.Limits.Sockets, c.Limits.SessionPerMinute = time.Now, "info", n, 1_000_000
		})
		w.many = true
		var all []api.Tokens
		w.issue(n, 1, func(s api.Tokens) { all = append(all, s) })
		http.DefaultClient.CloseIdleConnections()
		debug.FreeOSMemory()
		before := resident(b)

		began := time.Now()
		sockets := make([]bareSocket, n)
		var wg sync.WaitGroup
		slots := make(chan struct{}, 64)
		for i, s := range all {
			slots <- struct{}{}
			wg.Go(func() {
				sockets[i] = openBare(w, s)
				<-slots
			})
		}
		wg.Wait()
		b.ReportMetric(float64(n)/time.Since(began).Seconds(), "opened/s")
		http.DefaultClient.CloseIdleConnections()
		runtime.GC()
		b.ReportMetric(float64(resident(b)-before)/1000/float64(n), "kB/socket")
		if open := w.gauge("sessiond_sockets_open"); open != n {
			b.Errorf("%d sockets are open", open)
		}

		some, rest := sockets[:*endedSingly], sockets[*endedSingly:]
		idle := w.validatedBeside(rest[0].session.SessionToken)
		for i := range some {
			w.want(w.call("POST", "/api/auth/sessions/logout", some[i].session.SessionToken, nil), 200, "")
			answered := time.Now()
			some[i].closed(b)
			took = append(took, time.Since(answered))
		}
		idle()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms/logout")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms/logout")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms/logout")

		began = time.Now()
		w.want(w.act("POST", "/sessions/end", w.operatorKey(), api.EndManyRequest{All: true, Reason: "an incident"}), 200, "")
		for i := range rest {
			wg.Go(func() { rest[i].closed(b) })
		}
		wg.Wait()
		b.ReportMetric(time.Since(began).Seconds(), "s/end-all")
		w.eventually(func() bool { return w.gauge("sessiond_sockets_open") == 0 })
		w.stop()
	}
}

// validatedBeside has eight clients validate without a pause until the function
// that it returns is called.
func (w *world) validatedBeside(token string) (idle func()) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.validate(token)
				}
			}
		})
	}
	return func() { close(stop); wg.Wait() }
}
