package httpapi

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func numbered(n int) (k limiterKey) {
	binary.BigEndian.PutUint64(k.id[:], uint64(n))
	return k
}

func TestAQuotaIsUsedUpAndFills(t *testing.T) {
	l, k, r := newLimiter(1, noon), numbered(0), rate(100)
	for i := range 100 {
		if b := l.allow(k, r, noon); !b.ok || b.remaining != 99-i {
			t.Fatalf("request %d: %+v", i+1, b)
		}
	}
	for range 3 {
		if b := l.allow(k, r, noon); b.ok || b.remaining != 0 || b.reset != 600*time.Millisecond {
			t.Errorf("the 101st: %+v", b)
		}
	}
	if b := l.allow(k, r, noon.Add(599*time.Millisecond)); b.ok {
		t.Error("too early")
	}
	if b := l.allow(k, r, noon.Add(600*time.Millisecond)); !b.ok {
		t.Error("refused requests were charged")
	}
	if b := l.allow(k, r, noon.Add(30600*time.Millisecond)); !b.ok || b.remaining != 49 || b.reset != 30600*time.Millisecond {
		t.Errorf("half a minute later: %+v", b)
	}
	if b := l.allow(k, r, noon.Add(2*time.Minute)); b.remaining != 99 {
		t.Errorf("whole again: %+v", b)
	}
}

func TestAClockSetBackLocksNobodyOut(t *testing.T) {
	l, k, r := newLimiter(1, noon), numbered(0), rate(100)
	for range 100 {
		l.allow(k, r, noon.Add(24*time.Hour))
	}
	if b := l.allow(k, r, noon); b.ok || b.reset > time.Minute {
		t.Errorf("%+v", b)
	}
	for range 100 {
		l.allow(k, r, noon.Add(-24*time.Hour))
	}
	if b := l.allow(numbered(1), r, noon.Add(-24*time.Hour)); !b.ok {
		t.Error("a newcomer was refused")
	}
}

// A flood of new keys neither grows the table nor makes it forget those whose
// quota is used up.
func TestAFloodOfKeysFreesNobody(t *testing.T) {
	l, r := newLimiter(1<<11, noon), rate(100)
	const limited = 100
	for i := range limited {
		for range 100 {
			l.allow(numbered(i), r, noon)
		}
	}
	for i := range 20 << 11 {
		if !l.allow(numbered(limited+i), r, noon).ok {
			t.Fatal("a newcomer was refused")
		}
	}
	for i := range limited {
		if l.allow(numbered(i), r, noon).ok {
			t.Fatalf("exhausted key %d was forgotten", i)
		}
	}
	if got := len(l.sets) * len(limiterSet{}); got != 1<<11 {
		t.Errorf("%d entries", got)
	}
}

func TestAQuotaIsExactUnderContention(t *testing.T) {
	l, k, r := newLimiter(1, noon), numbered(0), rate(100)
	var ok atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if l.allow(k, r, noon).ok {
					ok.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if ok.Load() != 100 {
		t.Errorf("%d were allowed", ok.Load())
	}
}

func TestKindsOfKeyAreApart(t *testing.T) {
	l, r := newLimiter(limiterKeys, noon), rate(1)
	for _, kind := range []byte("ase") {
		if !l.allow(limiterKey{kind: kind}, r, noon).ok || l.allow(limiterKey{kind: kind}, r, noon).ok {
			t.Errorf("kind %c shares a quota or has none", kind)
		}
	}
	if n := testing.AllocsPerRun(100, func() { l.allow(limiterKey{}, r, noon) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAllow(b *testing.B) {
	l, r := newLimiter(limiterKeys, noon), rate(100)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			l.allow(numbered(i%4096), r, noon)
		}
	})
}
