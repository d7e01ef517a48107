package httpapi

import (
	"strconv"
	"testing"
	"time"
)

// REF-09: who is told to come back is told different times, none of them
// before the one that is known.
func TestRepeatedCallsAreSpread(t *testing.T) {
	for _, known := range []time.Duration{0, 7 * time.Second} {
		seen := map[int]int{}
		const n = 2000
		for range n {
			seconds, err := strconv.Atoi(retryAfter(known))
			if err != nil || seconds < 1 || time.Duration(seconds)*time.Second < known {
				t.Fatalf("%s: %d, %v", known, seconds, err)
			}
			seen[seconds]++
		}
		if len(seen) < 3 {
			t.Errorf("%s: only %v", known, seen)
		}
		for seconds, count := range seen {
			if count > n*2/len(seen) {
				t.Errorf("%s: %d seconds in %d of %d", known, seconds, count, n)
			}
		}
	}
}
