//go:build !linux

package sqlite

import "os"

// allocate gives a file so many bytes of disk.
func allocate(f *os.File, size int64) error { return fillWithZeros(f, size) }
