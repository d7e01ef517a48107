package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A client that goes away in the middle of a call is no failure of ours: it
// gets no answer, and writes no error into the operator's log.
func TestAClientThatWentAwayIsNoError(t *testing.T) {
	var log strings.Builder
	var counted []int
	waits := func(_ http.ResponseWriter, r *http.Request, _ call) error {
		<-r.Context().Done()
		return r.Context().Err()
	}
	h, err := newMux(Options{
		Origin: ownOrigin, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Count: func(_ string, status int) { counted = append(counted, status) },
	}, []route{{access: anyone, method: "GET", path: "/waits", handle: waits}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequest("GET", "/waits", nil).WithContext(gone)
	r.Host = "sessions.example.org"
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("it ended with %v", p)
		}
		if log.Len() > 0 {
			t.Errorf("the log: %s", log.String())
		}
		if len(counted) != 1 || counted[0] != 0 {
			t.Errorf("counted as %v", counted)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), r)
	t.Error("it was answered")
}
