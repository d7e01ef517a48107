package sessiontest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// Fault is what is wrong with a [FaultyStore].
type Fault int32

// The faults.
const (
	NoFault    Fault = iota
	Fails            // every call fails at once, and nothing is done
	Hangs            // every call waits until its caller gives up or the fault goes, and nothing is done
	FailsAfter       // what is written is done, and its caller is told of a failure; reads fail
	HangsAfter       // what is written is done, and its caller hears of it when the fault goes; reads hang
	Full             // what a store must take is done, all else that is written fails with session.ErrFull; reads work
	Late             // what is written is done when the fault goes, whether its caller still waits or not; reads work
)

// ErrFault is the error of a failing call.
var ErrFault = errors.New("sessiontest: the store failed")

// FaultyStore is a store that can be told to fail. Safe for concurrent use.
type FaultyStore struct {
	session.Store
	hurt atomic.Int64

	mu    sync.Mutex
	fault Fault
	gone  chan struct{} // closed when the fault goes
}

// Be gives the store a fault, or takes it away.
func (s *FaultyStore) Be(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil {
		close(s.gone)
	}
	s.fault, s.gone = f, make(chan struct{})
}

func (s *FaultyStore) now() (Fault, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault, s.gone
}

// Hurt returns how many calls a fault has met.
func (s *FaultyStore) Hurt() int64 { return s.hurt.Load() }

// read returns the error of a call that reads, nil without a fault.
func (s *FaultyStore) read(ctx context.Context) error {
	if f, _ := s.now(); f == Late || f == Full {
		return nil
	}
	return s.write(ctx, func() error { return nil })
}

// write does what the fault lets happen of a call that writes.
func (s *FaultyStore) write(ctx context.Context, do func() error) error {
	f, gone := s.now()
	switch f {
	case NoFault, Full: // of what must be done; see Apply
		return do()
	case Late:
		done := make(chan error, 1)
		go func() { <-gone; done <- do() }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	case FailsAfter, HangsAfter:
		if err := do(); err != nil {
			return err
		}
	}
	s.hurt.Add(1)
	if f == Fails || f == FailsAfter {
		return ErrFault
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-gone:
	}
	if f == Hangs {
		return ErrFault
	}
	return nil
}

// Session implements session.Store.
func (s *FaultyStore) Session(ctx context.Context, id token.ID) (session.Session, error) {
	if err := s.read(ctx); err != nil {
		return session.Session{}, err
	}
	return s.Store.Session(ctx, id)
}

// Roster implements session.Store.
func (s *FaultyStore) Roster(ctx context.Context, subjectID string) (session.Roster, error) {
	if err := s.read(ctx); err != nil {
		return session.Roster{}, err
	}
	return s.Store.Roster(ctx, subjectID)
}

// UserOf implements session.Store.
func (s *FaultyStore) UserOf(ctx context.Context, account session.Account) (string, error) {
	if err := s.read(ctx); err != nil {
		return "", err
	}
	return s.Store.UserOf(ctx, account)
}

// AccountsOf implements session.Store.
func (s *FaultyStore) AccountsOf(ctx context.Context, userID string) ([]session.Account, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.AccountsOf(ctx, userID)
}

// Cuts implements session.Store.
func (s *FaultyStore) Cuts(ctx context.Context) ([]session.Cut, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Cuts(ctx)
}

// Member implements session.Store.
func (s *FaultyStore) Member(ctx context.Context, userID string) (session.Member, error) {
	if err := s.read(ctx); err != nil {
		return session.Member{}, err
	}
	return s.Store.Member(ctx, userID)
}

// Waiting implements session.Store.
func (s *FaultyStore) Waiting(ctx context.Context) ([]session.Member, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Waiting(ctx)
}

// Places implements session.Store.
func (s *FaultyStore) Places(ctx context.Context) iter.Seq2[session.Commitment, error] {
	if err := s.read(ctx); err != nil {
		return func(yield func(session.Commitment, error) bool) { yield(session.Commitment{}, err) }
	}
	return s.Store.Places(ctx)
}

// Snapshots implements session.Store.
func (s *FaultyStore) Snapshots(ctx context.Context, from int64, limit int) ([][]byte, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Snapshots(ctx, from, limit)
}

// Professional implements session.Store.
func (s *FaultyStore) Professional(ctx context.Context, id string) (session.Registrant, error) {
	if err := s.read(ctx); err != nil {
		return session.Registrant{}, err
	}
	return s.Store.Professional(ctx, id)
}

// ProfessionalOf implements session.Store.
func (s *FaultyStore) ProfessionalOf(ctx context.Context, account session.Account) (session.Registrant, error) {
	if err := s.read(ctx); err != nil {
		return session.Registrant{}, err
	}
	return s.Store.ProfessionalOf(ctx, account)
}

// LicenceHolder implements session.Store.
func (s *FaultyStore) LicenceHolder(ctx context.Context, authority, number string) (session.Registrant, error) {
	if err := s.read(ctx); err != nil {
		return session.Registrant{}, err
	}
	return s.Store.LicenceHolder(ctx, authority, number)
}

// Operator implements session.Store.
func (s *FaultyStore) Operator(ctx context.Context, id string) (session.Operator, error) {
	if err := s.read(ctx); err != nil {
		return session.Operator{}, err
	}
	return s.Store.Operator(ctx, id)
}

// Operators implements session.Store.
func (s *FaultyStore) Operators(ctx context.Context, after string, limit int) ([]session.Operator, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Operators(ctx, after, limit)
}

// Live implements session.Store.
func (s *FaultyStore) Live(ctx context.Context, since time.Time) iter.Seq2[session.Session, error] {
	if err := s.read(ctx); err != nil {
		return func(yield func(session.Session, error) bool) { yield(session.Session{}, err) }
	}
	return s.Store.Live(ctx, since)
}

// Apply implements session.Store.
func (s *FaultyStore) Apply(ctx context.Context, changes ...session.Change) []error {
	switch f, gone := s.now(); f {
	case Full:
		out := make([]error, len(changes))
		for i := range changes {
			if out[i] = session.ErrFull; changes[i].Must() {
				out[i] = s.Store.Apply(ctx, changes[i])[0]
			}
		}
		return out
	case Late:
		return s.applyLate(ctx, gone, changes)
	}
	errs := make(chan []error, 1)
	err := s.write(ctx, func() error {
		errs <- s.Store.Apply(context.WithoutCancel(ctx), changes...)
		return nil
	})
	if err == nil {
		return <-errs
	}
	out := make([]error, len(changes))
	for i := range out {
		out[i] = err
	}
	return out
}

// applyLate applies changes when the fault has gone.
func (s *FaultyStore) applyLate(ctx context.Context, gone <-chan struct{}, changes []session.Change) []error {
	outcomes := make([]chan error, len(changes))
	for i := range outcomes {
		outcomes[i] = make(chan error, 1)
	}
	go func() {
		<-gone
		for i, err := range s.Store.Apply(context.WithoutCancel(ctx), changes...) {
			outcomes[i] <- err
		}
	}()
	out := make([]error, len(changes))
	for i := range out {
		select {
		case out[i] = <-outcomes[i]:
		case <-ctx.Done():
			out[i] = &session.Undecided{Outcome: outcomes[i], Cause: ctx.Err()}
		}
	}
	return out
}

// Keys implements session.Store.
func (s *FaultyStore) Keys(ctx context.Context) ([]session.WrappedKey, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Keys(ctx)
}

// AddKey implements session.Store.
func (s *FaultyStore) AddKey(ctx context.Context, k session.WrappedKey) error {
	return s.write(ctx, func() error { return s.Store.AddKey(ctx, k) })
}

// DropKeys implements session.Store.
func (s *FaultyStore) DropKeys(ctx context.Context, ids ...string) error {
	return s.write(ctx, func() error { return s.Store.DropKeys(ctx, ids...) })
}

// Meta implements session.Store.
func (s *FaultyStore) Meta(ctx context.Context) (session.Meta, error) {
	if err := s.read(ctx); err != nil {
		return session.Meta{}, err
	}
	return s.Store.Meta(ctx)
}

// SetMeta implements session.Store.
func (s *FaultyStore) SetMeta(ctx context.Context, old, new session.Meta) error {
	return s.write(ctx, func() error { return s.Store.SetMeta(ctx, old, new) })
}

// Events implements session.Store.
func (s *FaultyStore) Events(ctx context.Context, anonymous bool, after uint64, limit int) ([]session.StoredEvent, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Events(ctx, anonymous, after, limit)
}

// NewestEvent implements session.Store.
func (s *FaultyStore) NewestEvent(ctx context.Context, anonymous bool) (session.StoredEvent, error) {
	if err := s.read(ctx); err != nil {
		return session.StoredEvent{}, err
	}
	return s.Store.NewestEvent(ctx, anonymous)
}

// Sweep implements session.Store.
func (s *FaultyStore) Sweep(ctx context.Context, cut session.SweepCut, limit int) (n int, err error) {
	err = s.write(ctx, func() (err error) {
		n, err = s.Store.Sweep(ctx, cut, limit)
		return err
	})
	return n, err
}

// Ping implements session.Store.
func (s *FaultyStore) Ping(ctx context.Context) error {
	if err := s.read(ctx); err != nil {
		return err
	}
	return s.Store.Ping(ctx)
}
