package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The buffers of a socket, in bytes: a control frame at most is read, and most
// events are written by one call. Those of net/http are given up with the
// request.
const (
	wireReads  = 140
	wireWrites = 512
)

// A client of a socket has nothing to say but pings, pongs and a close. Whoever
// sends more than wireBudget bytes within wireWindow is a flood.
const (
	wireBudget = 4 << 10
	wireWindow = 30 * time.Second
)

var errFlood = errors.New("httpapi: the client of a socket sends too much")

// wire is the connection of a socket. One goroutine at a time reads from it.
type wire struct {
	net.Conn
	early []byte // what came before the connection was taken over
	since time.Time
	taken int

	closing atomic.Bool // what is written next is the close
}

// Write implements net.Conn. When the close is written, the client's own is
// waited for: from then on only, since many who close at once wait for one
// another.
func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if w.closing.CompareAndSwap(true, false) {
		time.AfterFunc(closeWait, func() { w.Close() })
	}
	return n, err
}

// Read implements net.Conn within the budget.
func (w *wire) Read(p []byte) (n int, err error) {
	if len(w.early) > 0 {
		n = copy(p, w.early)
		w.early = w.early[n:]
	} else {
		n, err = w.Conn.Read(p)
	}
	if now := time.Now(); now.Sub(w.since) > wireWindow {
		w.since, w.taken = now, 0
	}
	if w.taken += n; w.taken > wireBudget {
		return 0, errFlood
	}
	return n, err
}

// taker is a ResponseWriter whose connection is handed over as a wire.
type taker struct {
	http.ResponseWriter
	wire *wire
}

// Hijack implements http.Hijacker.
func (t *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	t.wire = &wire{Conn: conn, early: bytes.Clone(early), since: time.Now()}
	return t.wire, bufio.NewReadWriter(bufio.NewReaderSize(t.wire, wireReads), bufio.NewWriterSize(t.wire, wireWrites)), nil
}
