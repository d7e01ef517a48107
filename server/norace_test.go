//go:build !race

package server

// raceEnabled tells tests that the race detector watches, and slows them.
const raceEnabled = false
