package sqlite

import (
	"os"

	"golang.org/x/sys/unix"
)

// allocate gives a file so many bytes of disk.
func allocate(f *os.File, size int64) error {
	for {
		switch err := unix.Fallocate(int(f.Fd()), 0, 0, size); err {
		case unix.EINTR:
		case unix.EOPNOTSUPP:
			return fillWithZeros(f, size)
		default:
			return err
		}
	}
}
