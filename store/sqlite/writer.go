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
	maxBatch        = 512                    // operations that share a commit
	checkpointEvery = 250 * time.Millisecond // in the background
	maxWAL          = 64 << 20               // beyond it the writer checkpoints itself
	walKept         = time.Minute            // then it is emptied, if nobody is reading from it
	busyTimeout     = 10 * time.Second       // of a lock that another process holds
)

// op is one thing to do inside a shared transaction. do returns a sentinel
// error to refuse itself alone; any other error fails the whole transaction.
type op struct {
	do      func(*conn) error
	must    bool  // is done on a full disk too
	refused error // do's own refusal
	answer  chan error
}

// submit queues do and waits until it is durable, refused or unknown. On a full
// disk it is done all the same.
func (s *Store) submit(ctx context.Context, do func(*conn) error) error {
	return s.submitAll(ctx, &op{do: do, must: true})[0]
}

func (s *Store) submitAll(ctx context.Context, ops ...*op) []error {
	errs := make([]error, len(ops))
	for i, o := range ops {
		o.answer = make(chan error, 1)
		errs[i] = s.enqueue(o)
	}
	for i, o := range ops {
		if errs[i] != nil {
			continue
		}
		select {
		case errs[i] = <-o.answer:
		case <-ctx.Done():
			errs[i] = &session.Undecided{Outcome: o.answer, Cause: ctx.Err()}
		}
	}
	return errs
}

// enqueue queues an operation, which is then done whoever still waits for it:
// a person who logs out and closes the page at once is logged out.
func (s *Store) enqueue(o *op) error {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errClosed
	}
	select {
	case s.queue <- o:
		s.mu.RUnlock()
	default: // the queue is full: it waits for its place, and its caller for it
		go func() {
			defer s.mu.RUnlock()
			s.queue <- o
		}()
	}
	return nil
}

// writeLoop is the one writer. It ends when the queue is closed and empty.
func (s *Store) writeLoop() {
	defer close(s.stopped)
	batch := make([]*op, 0, maxBatch)
	refill := time.NewTicker(s.reserve.every)
	defer refill.Stop()
	empty := time.NewTicker(walKept)
	defer empty.Stop()
	for {
		select {
		case <-refill.C:
			s.reserve.refill()
		case <-empty.C:
			s.boundWAL(0)
		case first, ok := <-s.queue:
			if !ok {
				return
			}
			s.commit(s.gather(append(batch[:0], first)))
			select {
			case s.dirty <- struct{}{}:
			default:
			}
			s.boundWAL(maxWAL)
		}
	}
}

// gather adds to a batch those who are ready to write.
func (s *Store) gather(batch []*op) []*op {
	runtime.Gosched() // they join this commit
	for len(batch) < maxBatch {
		select {
		case o, ok := <-s.queue:
			if !ok {
				return batch
			}
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction and answers every operation of it. On
// a full disk only what must be done is, in space kept for it.
func (s *Store) commit(batch []*op) {
	if !s.reserve.spent {
		err := s.transact(batch)
		if err == nil || !s.reserve.blames(err) {
			answer(batch, err)
			return
		}
		s.reserve.spend()
	}
	var must []*op
	for _, o := range batch {
		if o.must {
			must = append(must, o)
		} else {
			o.answer <- session.ErrFull
		}
	}
	if len(must) > 0 {
		answer(must, s.transact(must))
	}
}

// answer tells each operation what came of the transaction.
func answer(batch []*op, err error) {
	for _, o := range batch {
		if err != nil {
			o.answer <- err
		} else {
			o.answer <- o.refused
		}
	}
}

// transact runs a batch in one transaction. A savepoint for each operation has
// SQLite keep a copy of every page that it changes, so there are none until one
// operation must be undone alone: then the batch is done anew with them.
func (s *Store) transact(batch []*op) error {
	err := s.transactWith(batch, s.attempt)
	if errors.Is(err, errHalfDone) {
		err = s.transactWith(batch, s.attemptAlone)
	}
	return err
}

func (s *Store) transactWith(batch []*op, attempt func(*op) error) error {
	if _, err := s.write.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, o := range batch {
		o.refused = nil
		if err := attempt(o); err != nil {
			return errors.Join(err, s.write.rollback())
		}
	}
	if _, err := s.write.exec("COMMIT"); err != nil {
		return errors.Join(err, s.write.rollback())
	}
	return nil
}

// refuses reports whether an operation's error is its own refusal.
func refuses(err error) bool {
	return errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNonceUsed) || errors.Is(err, session.ErrTaken)
}

// errHalfDone is that an operation refused itself after it had changed
// something.
var errHalfDone = errors.New("sqlite: refused halfway")

// attempt runs one operation, of which most that refuse themselves have changed
// nothing: they lost a compare-and-swap that stood first.
func (s *Store) attempt(o *op) error {
	before := s.write.TotalChanges()
	err := o.do(s.write)
	switch {
	case err == nil || !refuses(err):
		return err
	case s.write.TotalChanges() != before:
		return errHalfDone
	}
	o.refused = err
	return nil
}

// attemptAlone runs one operation within a savepoint, so that its refusal takes
// no other with it.
func (s *Store) attemptAlone(o *op) error {
	if _, err := s.write.exec("SAVEPOINT op"); err != nil {
		return err
	}
	err := o.do(s.write)
	if err == nil {
		_, err = s.write.exec("RELEASE op")
		return err
	}
	if !refuses(err) {
		return err
	}
	o.refused = err
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

// boundWAL truncates the WAL if it is larger than a bound: when load has kept the
// background from finishing a checkpoint, and now and then for what it tells. It
// holds what was written in its order, long after a checkpoint: who reads that
// learns to the second when something happened that is stored with a coarse
// time. A reader in its way, such as a backup, is not waited for.
func (s *Store) boundWAL(most int64) {
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() > most {
		s.write.BusyTimeout(0)
		s.write.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
		s.write.BusyTimeout(busyTimeout)
	}
}
