package server_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/mentalverse/session/server"
)

// REL-07: when all tests have ended, no goroutine is left.
func TestMain(m *testing.M) {
	transport := http.DefaultTransport.(*http.Transport)
	transport.MaxIdleConnsPerHost = 64 // or many callers at once would dial for every call
	goleak.VerifyTestMain(withoutIdle{m, transport})
}

// withoutIdle runs the tests, ends their prover and closes the client's idle
// connections.
type withoutIdle struct {
	*testing.M
	transport *http.Transport
}

func (w withoutIdle) Run() int {
	defer w.transport.CloseIdleConnections()
	if err := server.UnpackArtifacts(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(server.Unpacked)
	code := w.M.Run()
	if err := theProver.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
