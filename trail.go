package session

import (
	"context"
	"slices"

	"github.com/mentalverse/session/token"
)

// Records returns up to limit audit records behind a position, oldest first, but
// none about pseudonyms: those have no positions, which would tell their order.
func (s *Service) Records(ctx context.Context, after uint64, limit int) ([]StoredRecord, error) {
	list, err := s.store.Records(ctx, after, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return list, nil
}

// trailDelay is how old a record about a pseudonym is before anybody reads it,
// counted from the five minutes that it is dated to. By then all of them are
// there, in an order that says nothing: who reads as they come would learn when,
// and who pages on would miss those that come before the page's end.
const trailDelay = 2 * token.AnonymousBucket

// AnonymousRecords returns up to limit audit records about pseudonyms with keys
// above one, by their keys; those of the last ten minutes come later. Fewer are
// the last.
func (s *Service) AnonymousRecords(ctx context.Context, after [20]byte, limit int) ([]AnonymousRecord, error) {
	list, err := s.store.AnonymousRecords(ctx, after, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	readable := s.now().Add(-trailDelay)
	return slices.DeleteFunc(list, func(r AnonymousRecord) bool { return r.At.After(readable) }), nil
}
