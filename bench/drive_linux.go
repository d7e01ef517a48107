package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// drive makes the load's calls over the connections until the time is over or
// the load is done, and returns how long each took.
//
// It never sleeps. Who answers a sleeping client wakes its core up, which costs
// some microseconds of the server's, and the slower the server is, the more often
// the client sleeps: a server would be charged for being slower than the no-op
// beyond what it does. Between machines nobody wakes the other's cores.
func drive(ctx context.Context, conns []*client, l load) (took []time.Duration, err error) {
	ready, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(ready)
	lines := make([]line, len(conns))
	open := 0
	for i, c := range conns {
		if err := lines[i].open(c.conn, ready, i); err != nil {
			return nil, err
		}
		defer unix.Close(lines[i].fd)
		ok, err := lines[i].call(l, i)
		if err != nil {
			return nil, err
		}
		if ok {
			open++
		}
	}
	events := make([]unix.EpollEvent, len(conns))
	for last := time.Now(); open > 0; {
		n, err := unix.EpollWait(ready, events, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n == 0:
			if time.Since(last) > callTimeout {
				return nil, errors.New("no answer in time")
			}
			continue
		}
		last = time.Now()
		for _, e := range events[:n] {
			own := &lines[e.Fd]
			done, err := own.read()
			if err != nil {
				return nil, err
			}
			if !done {
				continue
			}
			took = append(took, time.Since(own.at))
			ok := ctx.Err() == nil
			if ok {
				if ok, err = own.call(l, int(e.Fd)); err != nil {
					return nil, err
				}
			}
			if !ok {
				open--
			}
		}
	}
	return took, nil
}

// line is a client's connection with its one call under way.
type line struct {
	fd  int
	now call
	at  time.Time
	in  []byte
	got int
}

func (o *line) open(conn net.Conn, ready, number int) error {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var dup error
	if err := raw.Control(func(fd uintptr) { o.fd, dup = unix.Dup(int(fd)) }); err != nil {
		return err
	}
	if dup != nil {
		return dup
	}
	conn.Close() // nobody else waits for its answers
	o.in = make([]byte, 64<<10)
	return unix.EpollCtl(ready, unix.EPOLL_CTL_ADD, o.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(number)})
}

// call makes the client's next call, if it has one.
func (o *line) call(l load, client int) (ok bool, err error) {
	if o.now, ok = l(client); !ok {
		return false, nil
	}
	o.got, o.at = 0, time.Now()
	n, err := unix.Write(o.fd, o.now.request)
	if err == nil && n < len(o.now.request) {
		err = errors.New("the server does not read")
	}
	return true, err
}

// read reads what has come, and reports whether that was the whole answer.
func (o *line) read() (done bool, err error) {
	n, err := unix.Read(o.fd, o.in[o.got:])
	if err == unix.EAGAIN || err == unix.EINTR {
		return false, nil
	}
	if err == nil && n == 0 {
		err = errors.New("the server closed the connection")
	}
	if err != nil {
		return false, err
	}
	o.got += n
	head, rest, whole := bytes.Cut(o.in[:o.got], []byte("\r\n\r\n"))
	if !whole {
		return false, nil
	}
	_, value, found := bytes.Cut(head, contentLength)
	value, _, _ = bytes.Cut(value, []byte("\r\n"))
	length, err := strconv.Atoi(string(value))
	if !found || err != nil || length > len(o.in)-len(head)-4 || len(head) < 12 {
		return false, fmt.Errorf("not an answer that a load can read: %q", head)
	}
	if len(rest) < length {
		return false, nil
	}
	status, err := strconv.Atoi(string(head[9:12]))
	if err != nil {
		return false, err
	}
	return true, o.now.took(status, rest[:length])
}
