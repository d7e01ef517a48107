// Package bench measures a session server beside a no-op handler and a raw
// group commit, in the same run: absolute figures belong to a machine, ratios
// to the program.
package bench
