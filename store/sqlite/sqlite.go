// Package sqlite keeps sessions in one SQLite file (WAL, synchronous=FULL).
//
// One goroutine writes: it gathers the changes of many callers into one
// transaction and acknowledges them after its commit is on disk. Reads go over
// a few connections of their own. Checkpoints run in the background.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// Store is a session.Store over one file. Safe for concurrent use; one process
// at a time.
type Store struct {
	path    string
	vfs     string   // of SQLite: joinedVFS, but for tests
	lock    *os.File // nil when read-only
	folder  *os.File // locked while read-only, so that no restore comes between
	readers chan *conn
	write   *conn
	reserve reserve // the writer's
	queue   chan *op
	stop    chan struct{} // closed by Close: no more operations are taken
	stopped chan struct{} // closed by the writer when its queue is done
	once    sync.Once
	mu      sync.RWMutex // held for reading while an operation is queued
	closed  bool
	dirty   chan struct{} // something was written since the last checkpoint
	checked chan struct{} // closed when the checkpointer is done
}

var _ session.Store = (*Store)(nil)

const readerCount = 4

var errClosed = errors.New("sqlite: the store is closed")

// Open opens or makes the database at path (mode 0600), brings its schema up
// to date and takes the lock that keeps a second server out.
func Open(ctx context.Context, path string) (*Store, error) {
	return newStore(path).open(ctx)
}

func (s *Store) open(ctx context.Context) (_ *Store, err error) {
	if s.lock, err = takeLock(s.path + ".lock"); err != nil {
		return nil, err
	}
	if err := s.openWriter(); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	checkpoints, err := s.connect()
	if err == nil {
		err = s.openReaders()
	}
	if err != nil {
		return nil, errors.Join(err, s.write.Close(), s.lock.Close())
	}
	s.queue = make(chan *op, maxBatch)
	s.stopped = make(chan struct{})
	s.dirty = make(chan struct{}, 1)
	s.checked = make(chan struct{})
	go s.writeLoop()
	go s.checkpointLoop(checkpoints)
	return s, ctx.Err()
}

// openWriter opens or makes the file and its space in reserve.
func (s *Store) openWriter() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.write, err = s.connect(); err != nil {
		return err
	}
	err = migrate(s.write.Conn)
	for _, suffix := range []string{"-wal", "-shm"} { // SQLite made them with the umask's mode
		if err == nil {
			err = os.Chmod(s.path+suffix, 0o600)
		}
	}
	if err == nil {
		err = s.reserve.open(s.path + ".reserve")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", s.path, err), s.write.Close())
	}
	return nil
}

// OpenReadOnly opens a database to look at, beside a running server or not.
// Every method that writes fails.
func OpenReadOnly(_ context.Context, path string) (_ *Store, err error) {
	s := newStore(path)
	s.closed = true // for writers
	if s.folder, err = lockFolder(s.path, syscall.LOCK_SH); err != nil {
		return nil, err
	}
	if err := s.openReaders(); err != nil {
		return nil, errors.Join(err, s.folder.Close())
	}
	return s, nil
}

func newStore(path string) *Store {
	// The file itself must be no link (OPEN_NOFOLLOW); a folder of it may be one,
	// as under systemd's DynamicUser.
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path))
	}
	return &Store{
		path: path, vfs: joinedVFS, readers: make(chan *conn, readerCount), stop: make(chan struct{}), reserve: reserve{every: refillEvery},
	}
}

func (s *Store) openReaders() error {
	for range readerCount {
		c, err := s.connect()
		if err == nil {
			err = c.Exec("PRAGMA query_only=ON")
		}
		if err != nil {
			return errors.Join(err, s.closeReaders())
		}
		s.readers <- c
	}
	return nil
}

// closeReaders closes the readers that are idle.
func (s *Store) closeReaders() error {
	var err error
	for len(s.readers) > 0 {
		err = errors.Join(err, (<-s.readers).Close())
	}
	return err
}

// Close finishes what is queued, checkpoints and closes the file.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.stop)
		for range readerCount { // waits for readers under way
			err = errors.Join(err, (<-s.readers).Close())
		}
		if s.queue == nil {
			err = errors.Join(err, s.folder.Close())
			return
		}
		close(s.queue)
		<-s.stopped
		<-s.checked
		_, _, e := s.write.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
		err = errors.Join(err, e, s.write.Close(), s.reserve.Close(), s.lock.Close())
	})
	return err
}

// takeLock holds an exclusive lock on a file for as long as it is open.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s is held: another server runs over this folder", path), f.Close())
	}
	return f, nil
}

// lockFolder locks the folder of a database: shared by those who only look at
// it, exclusive for the one who puts another file in its place. SQLite finds the
// files beside a database by name; who had the old one open would otherwise
// delete the new one's.
func lockFolder(path string, how int) (*os.File, error) {
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		other := "a restore is under way"
		if how == syscall.LOCK_EX {
			other = "another command has the database open"
		}
		return nil, errors.Join(fmt.Errorf("sqlite: %s is locked: %s", f.Name(), other), f.Close())
	}
	return f, nil
}
