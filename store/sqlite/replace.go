package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ncruces/go-sqlite3"
)

// Replacement is a backup that is about to take a database's place, while no
// server runs and no other command looks. Call Keep, then Put.
type Replacement struct {
	New Contents
	// Old is what the database holds; OldErr says why that cannot be told, and is
	// fs.ErrNotExist when there is none.
	Old    Contents
	OldErr error

	path, copy   string
	lock, folder *os.File
}

// sideFiles are what SQLite keeps beside a database and believes to be its own.
var sideFiles = []string{"-wal", "-shm", "-journal"}

// Prepare takes the locks, copies the backup beside the database at path and
// checks the copy. It changes nothing that a server would see.
func Prepare(ctx context.Context, path, from string) (_ *Replacement, err error) {
	r := &Replacement{path: newStore(path).path}
	r.copy = r.path + ".restoring"
	if r.lock, err = takeLock(r.path + ".lock"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.folder, err = lockFolder(r.path, syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if err := checkSource(r.path, from); err != nil {
		return nil, err
	}
	if err := r.removeCopy(); err != nil { // of a restore that was killed
		return nil, err
	}
	if err := copyFile(ctx, from, r.copy); err != nil {
		return nil, err
	}
	// The copy of a stopped server's own file is in WAL mode.
	if r.New, err = inspect(ctx, r.copy, "PRAGMA journal_mode=DELETE", true); err != nil {
		return nil, fmt.Errorf("%s: not restored: %w", from, err)
	}
	return r, r.lookAtOld(ctx)
}

// checkSource fails if a file cannot be a whole backup by what lies around it.
func checkSource(path, from string) error {
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !source.Mode().IsRegular() || !IsDatabase(from) {
		return fmt.Errorf("%s: it is no backup", from)
	}
	if live, err := os.Stat(path); err == nil && os.SameFile(source, live) {
		return fmt.Errorf("%s: it is the database itself", from)
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(from + suffix); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s: beside it lies %s, without which it is not whole: take a backup with sessiond backup", from, filepath.Base(from)+suffix)
		}
	}
	return nil
}

// lookAtOld reads the old database and takes it out of WAL mode, which puts what
// is in its log into it and fails when another program has it open. One that is
// damaged stays as it is.
func (r *Replacement) lookAtOld(ctx context.Context) error {
	if _, err := os.Lstat(r.path); err != nil {
		r.OldErr = err
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	r.Old, r.OldErr = inspect(ctx, r.path, "PRAGMA journal_mode=DELETE", false)
	if errors.Is(r.OldErr, sqlite3.BUSY) || errors.Is(r.OldErr, sqlite3.LOCKED) {
		return fmt.Errorf("another program has the database open: %w", r.OldErr)
	}
	return ctx.Err()
}

// Keep gives the old database a second name and moves what lies beside it under
// that name too, so that none of it is taken for the new one's. There is a
// database in its place at every moment: a server that found none would make an
// empty one.
func (r *Replacement) Keep(ctx context.Context, as string) error {
	err := os.Link(r.path, as)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // there is none; what lies beside it is kept all the same
	} else if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		err = copyFile(ctx, r.path, as)
	}
	if err != nil {
		return err
	}
	for _, suffix := range sideFiles {
		if err := os.Rename(r.path+suffix, as+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncFolder(r.path)
}

// Put puts the backup in the database's place.
func (r *Replacement) Put() error {
	if err := os.Rename(r.copy, r.path); err != nil {
		return err
	}
	return syncFolder(r.path)
}

// Close removes a copy that was not put in place and lets the locks go.
func (r *Replacement) Close() error {
	var err error
	if r.folder != nil { // or the copy may be another's
		err = errors.Join(r.removeCopy(), r.folder.Close())
	}
	return errors.Join(err, r.lock.Close())
}

func (r *Replacement) removeCopy() error {
	for _, suffix := range append([]string{""}, sideFiles...) {
		if err := os.Remove(r.copy + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// copyFile makes a durable copy, mode 0600, of a file.
func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	for err == nil {
		if err = ctx.Err(); err == nil {
			_, err = io.CopyN(out, in, 16<<20)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	err = errors.Join(err, out.Sync(), out.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(to))
	}
	return err
}
