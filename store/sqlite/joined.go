package sqlite

import (
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// joinedVFS is the name of the file system that every connection uses.
const joinedVFS = "joined"

func init() { vfs.Register(joinedVFS, joined{vfs.Find("os")}) }

// maxJoined bounds what is kept of a log before it is written.
const maxJoined = 1 << 20

// joined is a file system that joins the writes of a write-ahead log. SQLite
// writes each frame of it in two parts, a header of 24 bytes and a page, and
// those calls of the system were two fifths of what a new session cost. A
// commit's frames go to the file together, before the fsync that makes them
// durable: until then nobody but their own connection, which reads through the
// same file, knows that they are there.
type joined struct{ vfs.VFS }

func (j joined) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpen(j.VFS, name, flags)
	return joinLog(file, flags, err)
}

func (j joined) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(j.VFS, name, flags)
	return joinLog(file, flags, err)
}

func joinLog(file vfs.File, flags vfs.OpenFlag, err error) (vfs.File, vfs.OpenFlag, error) {
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		file = &joinedLog{File: file}
	}
	return file, flags, err
}

// joinedLog is the log as one connection has it open. Like every file of SQLite
// it belongs to one goroutine at a time.
type joinedLog struct {
	vfs.File
	start int64  // of what waits
	wait  []byte // what was written last and is not in the file
}

func (l *joinedLog) end() int64 { return l.start + int64(len(l.wait)) }

// WriteAt keeps what continues the last write, and writes all else.
func (l *joinedLog) WriteAt(p []byte, off int64) (int, error) {
	if off != l.end() || len(l.wait)+len(p) > maxJoined {
		if err := l.flush(); err != nil {
			return 0, err
		}
		l.start = off
	}
	if len(p) > maxJoined {
		return l.File.WriteAt(p, off)
	}
	l.wait = append(l.wait, p...)
	return len(p), nil
}

// flush writes what waits. What could not be written is forgotten: the
// transaction that it belongs to fails, and frames after the last commit are
// nothing.
func (l *joinedLog) flush() error {
	if len(l.wait) == 0 {
		return nil
	}
	_, err := l.File.WriteAt(l.wait, l.start)
	l.start, l.wait = l.end(), l.wait[:0]
	return err
}

func (l *joinedLog) ReadAt(p []byte, off int64) (int, error) {
	if off < l.end() && l.start < off+int64(len(p)) {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	return l.File.ReadAt(p, off)
}

func (l *joinedLog) Sync(flags vfs.SyncFlag) error {
	if err := l.flush(); err != nil {
		return err
	}
	return l.File.Sync(flags)
}

func (l *joinedLog) Truncate(size int64) error {
	if err := l.flush(); err != nil {
		return err
	}
	return l.File.Truncate(size)
}

func (l *joinedLog) Size() (int64, error) {
	if err := l.flush(); err != nil {
		return 0, err
	}
	return l.File.Size()
}

// Close writes what waits too: SQLite would have.
func (l *joinedLog) Close() error {
	err := l.flush()
	if e := l.File.Close(); err == nil {
		err = e
	}
	return err
}
