package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mentalverse/session/api"
)

// dice throws what it was given, and then nothing that does harm.
func dice(throws ...float64) func() float64 {
	return func() float64 {
		if len(throws) == 0 {
			return 0.99
		}
		next := throws[0]
		throws = throws[1:]
		return next
	}
}

func TestChaos(t *testing.T) {
	for name, c := range map[string]struct {
		path    string
		throws  []float64
		status  int
		done    bool
		aborted bool
		takes   time.Duration
	}{
		"nothing":              {refreshPath, nil, 200, true, false, 0},
		"a delay":              {refreshPath, []float64{0.09, 0.5}, 200, true, false, time.Second},
		"a refusal":            {refreshPath, []float64{0.1, 0.09}, 503, false, false, 0},
		"a lost answer":        {refreshPath, []float64{0.1, 0.1, 0.09}, 0, true, true, 0},
		"no lost answers here": {api.BasePath + "/sessions", []float64{0.1, 0.1, 0.0}, 200, true, false, 0},
		"health":               {"/healthz", []float64{0, 0, 0, 0}, 200, true, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done := false
				counted := -1
				h := testMux(t, Options{Chaos: &Chaos{Roll: dice(c.throws...)}, Count: func(_ string, status int) { counted = status }}, []route{
					{access: anyone, method: "POST", path: c.path, handle: handle(200, true, func(*http.Request, call, api.Empty) (api.Empty, error) {
						done = true
						return api.Empty{}, nil
					})},
				})
				w := httptest.NewRecorder()
				begin := time.Now()
				aborted := func() (aborted bool) {
					defer func() { aborted = recover() == http.ErrAbortHandler }()
					h.ServeHTTP(w, httptest.NewRequest("POST", c.path, nil))
					return false
				}()
				if done != c.done || aborted != c.aborted || counted != c.status || time.Since(begin) != c.takes {
					t.Errorf("done %v, aborted %v, counted %d, took %v", done, aborted, counted, time.Since(begin))
				}
				if aborted && w.Body.Len() > 0 {
					t.Errorf("an answer that was lost: %s", w.Body)
				}
			})
		})
	}
}
