//go:build !linux

package session

func preferHuge([]byte) {}
