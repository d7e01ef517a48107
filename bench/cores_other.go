//go:build !linux

package bench

import "time"

// Elsewhere the system places the processes.
func onServerCore(f func() error) error { return f() }
func toLoadCore() error                 { return nil }

// What a process uses is not told.
func cpuOf(int) time.Duration { return 0 }
