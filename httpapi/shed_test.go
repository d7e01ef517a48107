package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mentalverse/session/api"
)

// testMux serves the routes as the operator's mux does, under any name.
func testMux(t *testing.T, opts Options, routes []route) http.Handler {
	opts.Hosts = append(opts.Hosts, "example.com") // as httptest calls
	h, err := newMux(opts, routes, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOverloadIsShedAtOnce(t *testing.T) {
	in, out := make(chan bool), make(chan bool)
	hold := func(w http.ResponseWriter, _ *http.Request, _ call) error {
		in <- true
		<-out
		writeJSON(w, 200, api.Envelope[api.Empty]{Success: true, Data: &api.Empty{}})
		return nil
	}
	pass := func(w http.ResponseWriter, _ *http.Request, _ call) error {
		writeJSON(w, 200, api.Envelope[api.Empty]{Success: true, Data: &api.Empty{}})
		return nil
	}
	refused := map[string]int{}
	h := testMux(t, Options{InService: 3, Refused: func(kind string) { refused[kind]++ }}, []route{
		{access: anyone, method: "GET", path: "/hold", handle: hold},
		{access: anyone, method: "POST", path: "/hold", handle: pass, meter: unmetered},
		{access: anyone, method: "GET", path: "/x/sessions/validate", handle: pass},
	})
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { ask("GET", "/hold") })
		<-in
	}
	seen := map[string]bool{}
	for range 100 {
		w := ask("GET", "/x/sessions/validate")
		if w.Code != 503 || !strings.Contains(w.Body.String(), `"data":{"valid":false,"reason":"unavailable"}`) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if n, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || n < 1 || n > retrySpread {
			t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
		}
		seen[w.Header().Get("Retry-After")] = true
	}
	if len(seen) < 2 {
		t.Error("all are told to come back at the same moment")
	}
	if refused["overload"] != 100 {
		t.Errorf("counted %v", refused)
	}
	if w := ask("POST", "/hold"); w.Code != 200 {
		t.Errorf("a reserved place: %d", w.Code)
	}
	close(out)
	wg.Wait()
	if w := ask("GET", "/x/sessions/validate"); w.Code != 200 {
		t.Errorf("after the overload: %d", w.Code)
	}
}

func TestReservedPlacesEndToo(t *testing.T) {
	s := newShed(1)
	for range 1 + 16 {
		if !s.enter(true) {
			t.Fatal("no place")
		}
	}
	if s.enter(true) || s.enter(false) {
		t.Error("no bound")
	}
	s.leave()
	if s.enter(false) || !s.enter(true) {
		t.Error("an ordinary request took a reserved place")
	}
}
