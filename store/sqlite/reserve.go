package sqlite

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// reserve is space on the disk that a file beside the database keeps. When the
// disk is full the file gives it up, and sessions can still be ended: what a
// person asks for who has to leave at once must not wait for an operator.
type reserve struct {
	file  *os.File
	spent bool          // until space is found again
	every time.Duration // it is looked for
}

const (
	reserveSize = 64 << 20
	// reserveSlack is what must be free besides, or the disk would be full again
	// at once.
	reserveSlack = 16 << 20
	reserveProbe = 1 << 20 // less than this is no room
	refillEvery  = time.Second
)

// open makes the file. On a full disk the reserve begins spent.
func (r *reserve) open(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	r.file = f
	if info, err := f.Stat(); err == nil && info.Size() == reserveSize {
		return nil
	}
	if err := r.fill(); err != nil && !isFull(err) {
		return errors.Join(err, f.Close())
	} else if err != nil {
		r.spend()
	}
	return nil
}

// fill takes the space, and as much again as must be free besides.
func (r *reserve) fill() error {
	if err := allocate(r.file, reserveSize+reserveSlack); err != nil {
		return err
	}
	return r.file.Truncate(reserveSize)
}

// spend gives the space up.
func (r *reserve) spend() {
	r.spent = true
	r.file.Truncate(0) // it frees space: an error leaves things as they are
}

// refill takes the space again when there is room.
func (r *reserve) refill() {
	if !r.spent {
		return
	}
	if r.fill() != nil {
		r.spend()
		return
	}
	r.spent = false
}

func (r *reserve) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// fillWithZeros gives a file so many bytes of disk by writing them.
func fillWithZeros(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, at); err != nil {
			return err
		}
	}
	return nil
}

// blames reports whether a failed transaction failed because the disk is full.
// SQLite does not always say so: a write that was cut short for want of room
// comes as an error of input and output.
func (r *reserve) blames(err error) bool {
	if isFull(err) {
		return true
	}
	if !errors.Is(err, sqlite3.IOERR) {
		return false
	}
	err = allocate(r.file, reserveSize+reserveProbe)
	return isFull(errors.Join(err, r.file.Truncate(reserveSize)))
}

// isFull reports whether an error tells that the disk has no room.
func isFull(err error) bool {
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
