package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Sample is an answer to imitate: its status, header and body.
type Sample struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// Noop answers every request with the sample, by a handler that does nothing
// else: what net/http alone can do. Or it does the parts of a refresh before; see
// Floors. It tells its address on out and ends with ctx.
func Noop(ctx context.Context, sample Sample, out io.Writer, parts ...string) error {
	f, err := openFloor(ctx, parts)
	if err != nil {
		return err
	}
	defer f.close()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f.serve(r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		for name, values := range sample.Header {
			h[name] = values
		}
		w.WriteHeader(sample.Status)
		w.Write(sample.Body)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "sessiond is ready on http://%s\n", l.Addr())
	s := &http.Server{Handler: answer, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	if err := s.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}
