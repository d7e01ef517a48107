package server_test

import (
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mentalverse/session/api"
)

// BenchmarkAnonymousCreate opens sessions with proofs that were made before:
// each verified, used up and committed.
func BenchmarkAnonymousCreate(b *testing.B) {
	w := newWorld(b, openGroup)
	w.many = true
	m := w.newMember()
	m.enrol()
	// A session more than the policy allows ends the oldest, in the same commit.
	const proofs = 64
	var bodies [proofs]string
	for i := range bodies {
		text, err := m.credential(w.anonymousChallenge()).Encode()
		if err != nil {
			b.Fatal(err)
		}
		bodies[i] = `{"session_type":"anonymous","activity":"reported","credential":"` + text + `"}`
	}
	next, opened := atomic.Int64{}, atomic.Int64{}
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := next.Add(1) - 1
			res, err := http.Post(w.url+api.BasePath+"/sessions", "application/json", strings.NewReader(bodies[i%proofs]))
			if err != nil {
				b.Error(err)
				return
			}
			res.Body.Close()
			if res.StatusCode == http.StatusCreated {
				opened.Add(1)
			}
		}
	})
	b.StopTimer()
	if want := min(int64(b.N), proofs); opened.Load() != want {
		b.Errorf("opened %d of %d", opened.Load(), want)
	}
	b.ReportMetric(float64(opened.Load())/b.Elapsed().Seconds(), "sessions/s")
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "cores")
}
