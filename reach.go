package session

import (
	"context"
	"errors"
	"time"

	"github.com/mentalverse/session/token"
)

// How long the service waits for its store.
const (
	storeWait    = 5 * time.Second // a request, for one call
	storeSilence = 5 * time.Second // without an answer, until memory answers no more
	storeAsked   = time.Second     // how often the store is asked whether it is there
)

var errSilent = errors.New("session: the store has been silent for too long to answer from memory")

// bounded is a store whose reads a request waits for no longer than storeWait.
type bounded struct{ Store }

// within asks for something and waits for no longer than storeWait.
func within[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	return ask(ctx)
}

func (b bounded) Session(ctx context.Context, id token.ID) (Session, error) {
	return within(ctx, func(ctx context.Context) (Session, error) { return b.Store.Session(ctx, id) })
}

func (b bounded) Roster(ctx context.Context, subjectID string) (Roster, error) {
	return within(ctx, func(ctx context.Context) (Roster, error) { return b.Store.Roster(ctx, subjectID) })
}

func (b bounded) UserOf(ctx context.Context, account Account) (string, error) {
	return within(ctx, func(ctx context.Context) (string, error) { return b.Store.UserOf(ctx, account) })
}

func (b bounded) Professional(ctx context.Context, id string) (Registrant, error) {
	return within(ctx, func(ctx context.Context) (Registrant, error) { return b.Store.Professional(ctx, id) })
}

func (b bounded) ToReview(ctx context.Context, after string, limit int) ([]Registrant, error) {
	return within(ctx, func(ctx context.Context) ([]Registrant, error) { return b.Store.ToReview(ctx, after, limit) })
}

func (b bounded) ProfessionalOf(ctx context.Context, account Account) (Registrant, error) {
	return within(ctx, func(ctx context.Context) (Registrant, error) { return b.Store.ProfessionalOf(ctx, account) })
}

func (b bounded) AccountsOf(ctx context.Context, userID string) ([]Account, error) {
	return within(ctx, func(ctx context.Context) ([]Account, error) { return b.Store.AccountsOf(ctx, userID) })
}

func (b bounded) Users(ctx context.Context, after string, limit int) ([]string, error) {
	return within(ctx, func(ctx context.Context) ([]string, error) { return b.Store.Users(ctx, after, limit) })
}

func (b bounded) Erased(ctx context.Context, after string, limit int) ([]string, error) {
	return within(ctx, func(ctx context.Context) ([]string, error) { return b.Store.Erased(ctx, after, limit) })
}

func (b bounded) Events(ctx context.Context, anonymous bool, after uint64, limit int) ([]StoredEvent, error) {
	return within(ctx, func(ctx context.Context) ([]StoredEvent, error) { return b.Store.Events(ctx, anonymous, after, limit) })
}

func (b bounded) NewestEvent(ctx context.Context, anonymous bool) (StoredEvent, error) {
	return within(ctx, func(ctx context.Context) (StoredEvent, error) { return b.Store.NewestEvent(ctx, anonymous) })
}

func (b bounded) Cuts(ctx context.Context) ([]Cut, error) {
	return within(ctx, func(ctx context.Context) ([]Cut, error) { return b.Store.Cuts(ctx) })
}

func (b bounded) LicenceHolder(ctx context.Context, authority, number string) (Registrant, error) {
	return within(ctx, func(ctx context.Context) (Registrant, error) { return b.Store.LicenceHolder(ctx, authority, number) })
}

func (b bounded) Operator(ctx context.Context, id string) (Operator, error) {
	return within(ctx, func(ctx context.Context) (Operator, error) { return b.Store.Operator(ctx, id) })
}

func (b bounded) Member(ctx context.Context, userID string) (Member, error) {
	return within(ctx, func(ctx context.Context) (Member, error) { return b.Store.Member(ctx, userID) })
}

func (b bounded) Snapshots(ctx context.Context, from int64, limit int) ([][]byte, error) {
	return within(ctx, func(ctx context.Context) ([][]byte, error) { return b.Store.Snapshots(ctx, from, limit) })
}

func (b bounded) Records(ctx context.Context, after uint64, limit int) ([]StoredRecord, error) {
	return within(ctx, func(ctx context.Context) ([]StoredRecord, error) { return b.Store.Records(ctx, after, limit) })
}

func (b bounded) AnonymousRecords(ctx context.Context, after [20]byte, limit int) ([]AnonymousRecord, error) {
	return within(ctx, func(ctx context.Context) ([]AnonymousRecord, error) {
		return b.Store.AnonymousRecords(ctx, after, limit)
	})
}

func (b bounded) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	return b.Store.Ping(ctx)
}

// commit carries out one change and waits for its outcome, as long as its
// caller does and no longer than storeWait. The change itself is not given up;
// see settle.
func (s *Service) commit(ctx context.Context, c Change) error { return s.commitAll(ctx, c)[0] }

// commitAll is commit of many changes, each of which has its own outcome.
func (s *Service) commitAll(ctx context.Context, changes ...Change) []error {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	return s.settle(ctx, changes...)
}

// listen asks the store whether it is there. While it has not answered for
// storeSilence, silent is set and nothing is answered from memory.
func (s *Service) listen(silence *time.Timer) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := s.store.Ping(ctx); err != nil {
			return err
		}
		silence.Reset(storeSilence)
		s.silent.Store(false)
		return nil
	}
}
