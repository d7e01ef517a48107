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
)

// Backup copies the database at path, as it stands at one moment, to the file
// to, beside a running server or not. The copy is whole or not there: it is
// written beside its name, checked, and renamed. replace lets it take the place
// of an older backup.
//
// The copy is made by VACUUM INTO. It reads one snapshot, and in WAL mode a
// snapshot holds up no writer; the log only grows while it lasts. The pages'
// own copy (sqlite3_backup) would be a third faster, but it carries the free
// pages: what was swept because its time was over would live on in backups. And
// it leaves the copy in WAL mode, where looking at it makes files beside it.
func Backup(ctx context.Context, path, to string, replace bool) (Contents, error) {
	return newStore(path).backup(ctx, to, replace)
}

func (s *Store) backup(ctx context.Context, to string, replace bool) (out Contents, err error) {
	folder, err := lockFolder(s.path, syscall.LOCK_SH)
	if err != nil {
		return out, err
	}
	defer folder.Close()
	if err := checkTarget(s.path, to, replace); err != nil {
		return out, err
	}
	part := to + ".part"
	f, err := claimPart(part)
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
		err = errors.Join(err, f.Close())
		if ctx.Err() != nil && err != nil {
			err = ctx.Err()
		}
	}()
	position, err := s.copyInto(ctx, part)
	if err != nil {
		return out, err
	}
	if err := f.Sync(); err != nil {
		return out, err
	}
	if out, err = inspect(ctx, part, "PRAGMA query_only=ON", true); err != nil {
		return out, err
	}
	if out.Position < position {
		return out, errors.New("the copy is older than the database was: it ends before a record that was there")
	}
	if err := checkTarget(s.path, to, replace); err != nil { // much time has passed
		return out, err
	}
	if err := os.Rename(part, to); err != nil {
		return out, err
	}
	return out, syncFolder(to)
}

// copyInto writes the copy and returns the position of the newest record from
// before it was begun.
func (s *Store) copyInto(ctx context.Context, to string) (position int64, err error) {
	c, err := s.connect()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	c.SetInterrupt(ctx)
	var before Contents
	if err := before.read(c.Conn); err != nil {
		return 0, err
	}
	_, err = c.exec("VACUUM INTO ?", s.uri(to))
	return before.Position, err
}

// checkTarget fails if a backup may not take the name. It never lies in the
// folder of the database, whose files it might replace, and never takes the
// place of anything but a backup.
func checkTarget(path, to string, replace bool) error {
	own, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	target, err := os.Stat(filepath.Dir(to))
	if err != nil {
		return err
	}
	if os.SameFile(own, target) {
		return fmt.Errorf("%s: a backup lies outside of the data folder", to)
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal", ".lock"} {
		if _, err := os.Lstat(to + suffix); err == nil {
			return fmt.Errorf("%s: beside it lies %s: it is a database in use", to, filepath.Base(to)+suffix)
		}
	}
	info, err := os.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !replace:
		return fmt.Errorf("%s: it exists; --force replaces an older backup", to)
	case !info.Mode().IsRegular() || !IsDatabase(to):
		return fmt.Errorf("%s: it is no backup, and nothing else is replaced", to)
	}
	return nil
}

// IsDatabase reports whether a file begins as SQLite's do.
func IsDatabase(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, 16)
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) == "SQLite format 3\x00"
}

// claimPart makes the unfinished file, empty, or takes over the one of a backup
// that was killed. The lock on it keeps a second backup out.
func claimPart(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, errors.Join(fmt.Errorf("%s is locked: another backup is being written", path), f.Close())
		}
		mine, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if named, err := os.Lstat(path); err != nil || !os.SameFile(mine, named) {
			f.Close() // it was renamed or removed before the lock was had
			continue
		}
		if err := errors.Join(f.Truncate(0), f.Chmod(0o600)); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
}

// syncFolder makes the name of a file durable.
func syncFolder(path string) error {
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
