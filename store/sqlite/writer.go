package sqlite

import (
	"context"
	"errors"
	"os"
	"runtime"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// Bounds of the writer.
const (
	maxBatch        = 512                   // operations that share a commit
	checkpointEvery = 50 * time.Millisecond // in the background
	maxWAL          = 64 << 20              // beyond it the writer checkpoints itself
)

// op is one thing to do inside a shared transaction. do returns a sentinel
// error to refuse itself alone; any other error fails the whole transaction.
type op struct {
	do     func(*conn) error
	answer chan error
}

// submit queues do and waits until it is durable, refused or unknown.
func (s *Store) submit(ctx context.Context, do ...func(*conn) error) []error {
	errs := make([]error, len(do))
	ops := make([]*op, len(do))
	for i, f := range do {
		ops[i] = &op{do: f, answer: make(chan error, 1)}
		if errs[i] = s.enqueue(ctx, ops[i]); errs[i] != nil {
			ops[i] = nil
		}
	}
	for i, o := range ops {
		if o == nil {
			continue
		}
		select {
		case errs[i] = <-o.answer:
		case <-ctx.Done():
			errs[i] = ctx.Err() // it may still commit
		}
	}
	return errs
}

func (s *Store) enqueue(ctx context.Context, o *op) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	select {
	case s.queue <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeLoop is the one writer. It ends when the queue is closed and empty.
func (s *Store) writeLoop() {
	defer close(s.stopped)
	batch := make([]*op, 0, maxBatch)
	for first := range s.queue {
		batch = append(batch[:0], first)
		runtime.Gosched() // those who are ready to write join this commit
	gather:
		for len(batch) < maxBatch {
			select {
			case o, ok := <-s.queue:
				if !ok {
					break gather
				}
				batch = append(batch, o)
			default:
				break gather
			}
		}
		s.commit(batch)
		select {
		case s.dirty <- struct{}{}:
		default:
		}
		s.boundWAL()
	}
}

// commit runs a batch in one transaction and answers every operation of it.
func (s *Store) commit(batch []*op) {
	errs := make([]error, len(batch))
	err := s.transact(batch, errs)
	for i, o := range batch {
		if err != nil {
			errs[i] = err
		}
		o.answer <- errs[i]
	}
}

func (s *Store) transact(batch []*op, errs []error) error {
	if _, err := s.write.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i, o := range batch {
		if err := s.attempt(o, &errs[i]); err != nil {
			return errors.Join(err, s.write.rollback())
		}
	}
	if _, err := s.write.exec("COMMIT"); err != nil {
		return errors.Join(err, s.write.rollback())
	}
	return nil
}

// attempt runs one operation within a savepoint, so that its refusal takes no
// other with it.
func (s *Store) attempt(o *op, refused *error) error {
	if _, err := s.write.exec("SAVEPOINT op"); err != nil {
		return err
	}
	err := o.do(s.write)
	if err == nil {
		_, err = s.write.exec("RELEASE op")
		return err
	}
	if !errors.Is(err, session.ErrConflict) && !errors.Is(err, session.ErrNonceUsed) {
		return err
	}
	*refused = err
	if _, err := s.write.exec("ROLLBACK TO op"); err != nil {
		return err
	}
	_, err = s.write.exec("RELEASE op")
	return err
}

// rollback ends a failed transaction; SQLite may already have done so.
func (c *conn) rollback() error {
	if c.GetAutocommit() {
		return nil
	}
	_, err := c.exec("ROLLBACK")
	return err
}

// checkpointLoop moves the WAL into the database behind the writer.
func (s *Store) checkpointLoop(c *conn) {
	defer close(s.checked)
	defer c.Close()
	for {
		select {
		case <-s.stopped:
			return
		case <-s.dirty:
		}
		// A busy or failing checkpoint loses nothing: the next one goes on.
		c.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
		select {
		case <-s.stopped:
			return
		case <-time.After(checkpointEvery):
		}
	}
}

// boundWAL makes the writer wait for a checkpoint when readers or load have
// kept the background from finishing one.
func (s *Store) boundWAL() {
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() > maxWAL {
		s.write.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	}
}
