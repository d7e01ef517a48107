package events_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/events"
)

// running is a hub that follows a log until the benchmark ends.
func running(b *testing.B, l *log) *events.Hub {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h, err := events.New(ctx, l, events.Options{})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
	return h
}

// BenchmarkAThousandWait tells an end to a thousand who wait, without HTTP.
func BenchmarkAThousandWait(b *testing.B) {
	l := &log{}
	h := running(b, l)
	var told sync.WaitGroup
	var all sync.WaitGroup
	position := read(b, h, "", 0).Position
	told.Add(1000)
	for range 1000 {
		all.Go(func() {
			at := position
			for range b.N {
				batch, err := h.Read(context.Background(), at, time.Hour, 1000)
				if err != nil || len(batch.Events) != 1 {
					b.Errorf("%+v, %v", batch, err)
				}
				at = batch.Position
				told.Done()
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := l.looks()
	for i := range b.N {
		l.commit(ended(newID()))
		l.sweep(false, 10)
		h.Wake()
		told.Wait()
		if i < b.N-1 {
			told.Add(1000)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(l.looks()-before)/float64(b.N), "looks/op")
	all.Wait()
}

// BenchmarkSubscription is what a subscriber costs: the bytes are what stays.
func BenchmarkSubscription(b *testing.B) {
	h := running(b, &log{})
	list := make([]*events.Subscription, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range list {
		list[i] = h.Subscribe(newID())
	}
	b.StopTimer()
	for _, s := range list {
		s.Close()
	}
}
