// Package server wires the program together: it reads the configuration, opens
// the store and the keys, and serves both listeners. Tests, benchmarks and the
// command start the same thing.
package server
