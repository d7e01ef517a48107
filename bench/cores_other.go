//go:build !linux

package bench

// Elsewhere the system places the processes.
func onServerCore(f func() error) error { return f() }
func toLoadCore() error                 { return nil }
