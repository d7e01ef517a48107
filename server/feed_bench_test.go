package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
)

// BenchmarkRevocationToFeed ends b.N sessions at a steady pace (take
// -benchtime=10000x) while others validate, and services follow the feed over
// connections of their own: all of it in this process, on its cores. It tells the
// time from the sending of a logout until one of the services has read of it, and
// until all of them have, and beside it how long the validates took.
func BenchmarkRevocationToFeed(b *testing.B) {
	for _, c := range []struct{ feeds, perSecond int }{{10, 200}, {1000, 50}} {
		b.Run(fmt.Sprintf("feeds=%d/per_second=%d", c.feeds, c.perSecond), func(b *testing.B) { revocationToFeed(b, c.feeds, c.perSecond) })
	}
}

// revocation is one of them, and when services read of it.
type revocation struct {
	id, token string
	sent      time.Time
	one, all  atomic.Int64 // nanoseconds from sent: the first service's, and the latest of any
	told      atomic.Int64 // services
}

func revocationToFeed(b *testing.B, feeds, perSecond int) {
	w := newWorld(b)
	w.many = true
	key := w.newService("chat").Key
	list, index := w.revocations(b.N)
	position := w.told(key, "", 0).Position

	stop := make(chan bool)
	var following, loading, ending sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: feeds}
	defer transport.CloseIdleConnections()
	for n := range feeds {
		following.Go(func() { w.read(&http.Client{Transport: transport}, key, position, n, len(list), index) })
	}
	var validated []int64 // how long each of the others' calls took
	loading.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
			began := time.Now()
			w.validate(list[len(list)-1].token)
			validated = append(validated, int64(time.Since(began)))
		}
	})
	b.ResetTimer()
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	for i := range list {
		<-pace.C
		ending.Go(func() {
			list[i].sent = time.Now()
			w.want(w.call("POST", "/api/auth/sessions/logout", list[i].token, nil), 200, "")
		})
	}
	ending.Wait()
	following.Wait()
	b.StopTimer()
	close(stop)
	loading.Wait()

	one, all := make([]int64, len(list)), make([]int64, len(list))
	for i := range list {
		if n := list[i].told.Load(); n != int64(feeds) {
			b.Fatalf("told to %d of %d", n, feeds)
		}
		one[i], all[i] = list[i].one.Load(), list[i].all.Load()
	}
	for name, took := range map[string][]int64{"one": one, "all": all, "validate": validated} {
		slices.Sort(took)
		for at, of := range map[string]int{"p50": len(took) / 2, "p99": len(took) * 99 / 100, "max": len(took) - 1} {
			b.ReportMetric(float64(took[of])/1e6, name+"-"+at+"-ms")
		}
	}
}

// revocations opens sessions to end.
func (w *world) revocations(n int) (list []revocation, index map[string]*revocation) {
	list, index = make([]revocation, n), map[string]*revocation{}
	var all sync.WaitGroup
	slots := make(chan struct{}, 8)
	for from := 0; from < n; from += 10 { // a person has ten at once
		slots <- struct{}{}
		who := w.newPerson()
		all.Go(func() {
			defer func() { <-slots }()
			for i := from; i < min(from+10, n); i++ {
				s := data[api.Tokens](w.t, w.call("POST", "/api/auth/sessions", w.credential(who), nil))
				list[i].id, list[i].token = s.SessionID, s.SessionToken
			}
		})
	}
	all.Wait()
	for i := range list {
		index[list[i].id] = &list[i]
	}
	return list, index
}

// read follows the feed as the n-th service until it has read of so many ends.
func (w *world) read(client *http.Client, key, position string, n, ends int, index map[string]*revocation) {
	for ends > 0 {
		req, err := http.NewRequest("GET", w.url+"/service/v1/feed?wait=20"+positionQuery(position), nil)
		if err != nil {
			w.t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := client.Do(req)
		if err != nil {
			w.t.Error(err)
			return
		}
		var out api.Envelope[api.Feed]
		err = json.NewDecoder(res.Body).Decode(&out)
		res.Body.Close()
		now := time.Now()
		if err != nil || out.Data == nil || out.Data.Gap {
			w.t.Errorf("%d, %v", res.StatusCode, err)
			return
		}
		position = out.Data.Position
		for _, e := range out.Data.Events {
			r := index[e.SessionID]
			took := int64(now.Sub(r.sent))
			if n == 0 {
				r.one.Store(took)
			}
			for old := r.all.Load(); took > old && !r.all.CompareAndSwap(old, took); old = r.all.Load() {
			}
			r.told.Add(1)
			ends--
		}
	}
}
