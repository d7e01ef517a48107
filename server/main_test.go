package server_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// REL-07: when all tests have ended, no goroutine is left.
func TestMain(m *testing.M) {
	transport := http.DefaultTransport.(*http.Transport)
	transport.MaxIdleConnsPerHost = 64 // or many callers at once would dial for every call
	goleak.VerifyTestMain(withoutIdle{m, transport})
}

// withoutIdle runs the tests and closes the client's idle connections.
type withoutIdle struct {
	*testing.M
	transport *http.Transport
}

func (w withoutIdle) Run() int {
	defer w.transport.CloseIdleConnections()
	return w.M.Run()
}
