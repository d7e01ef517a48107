package server

import (
	"time"

	"golang.org/x/sys/unix"
)

// machine is the clock of this machine. CLOCK_BOOTTIME counts a suspension,
// CLOCK_MONOTONIC does not.
func machine() source {
	began := time.Now()
	read := func(id int32) time.Duration {
		var t unix.Timespec
		if unix.ClockGettime(id, &t) != nil {
			return 0
		}
		return time.Duration(t.Nano())
	}
	return source{
		wall:   time.Now,
		passed: func() time.Duration { return time.Since(began) },
		slept:  func() time.Duration { return read(unix.CLOCK_BOOTTIME) - read(unix.CLOCK_MONOTONIC) },
	}
}
