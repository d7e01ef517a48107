package session

import (
	"context"
	"iter"
	"math"
	"time"
)

// Group is the members who can sign in anonymously, as the tree that proofs are
// made of, and the [Verifier] of these proofs. Safe for concurrent use; Load,
// Plan and Publish are called by one at a time.
type Group interface {
	Verifier

	// Ready refuses with CodeUnavailable while nobody may sign in: too few members
	// to hide one another, or no snapshot of the epoch that is now.
	Ready(now time.Time) error
	// EpochEnd returns the end of the epoch that is now.
	EpochEnd(now time.Time) time.Time
	// Possession verifies that whoever answers an enrolment's challenge with the
	// proof (JSON) holds the secret of the commitment (decimal), and returns it.
	Possession(ctx context.Context, c Challenge, commitment string, proof []byte) (Commitment, error)

	// Recognise tells whether a stored snapshot is of this very group: of its
	// service id, epochs and key.
	Recognise(snapshot []byte) error
	// Load takes over the places that are stored, in order, and the newest
	// snapshots, oldest first.
	Load(places iter.Seq2[Commitment, error], snapshots [][]byte) error
	// Plan makes the next publication, or nil while none is due. It is either
	// committed and published, or the group is to be loaded anew.
	Plan(waiting []Member, now time.Time) (*Publication, error)
	// Publish lets proofs be made of a committed publication.
	Publish(p *Publication)
}

// Publication is one step of the group: the members that come and go, and the
// signed snapshot that tells of it.
type Publication struct {
	Number   uint64       // of the snapshot: one more than the last; ErrConflict if it exists
	Snapshot []byte       // JSON, as clients get it
	First    int          // the place of the first of Enter
	Enter    []Commitment // in the places behind the last
	Vacate   []int        // places that are left empty
	Members  []Member     // in their new states; who has none is forgotten
}

// newestSnapshots are loaded at start, and shown to who names no other.
const newestSnapshots = 100

// moreSnapshots are shown at once to who follows the chain.
const moreSnapshots = 1000

// Snapshots returns the published snapshots, oldest first, as JSON: the newest
// ones, or those behind the one numbered after, a bounded number at once.
func (s *Service) Snapshots(ctx context.Context, after *uint64) ([][]byte, error) {
	if s.group == nil {
		return nil, notServed(Anonymous)
	}
	from, limit := int64(NewestSnapshots), newestSnapshots
	if after != nil {
		from, limit = int64(min(*after, math.MaxInt64-1))+1, moreSnapshots
	}
	list, err := s.store.Snapshots(ctx, from, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return list, nil
}

// recogniseGroup fails if what is stored is another group than the one to be
// served: its members would come as other people.
func (s *Service) recogniseGroup(ctx context.Context) error {
	if s.group == nil {
		return nil
	}
	newest, err := s.store.Snapshots(ctx, NewestSnapshots, 1)
	if err != nil || len(newest) == 0 {
		return err
	}
	return s.group.Recognise(newest[0])
}

// tendGroup publishes what is due.
func (s *Service) tendGroup(ctx context.Context) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	return s.publish(ctx)
}

// publish publishes what is due. The caller holds publishing.
func (s *Service) publish(ctx context.Context) error {
	if !s.loaded {
		snapshots, err := s.store.Snapshots(ctx, NewestSnapshots, newestSnapshots)
		if err != nil {
			return err
		}
		if err := s.group.Load(s.store.Places(ctx), snapshots); err != nil {
			return err
		}
		s.loaded = true
	}
	waiting, err := s.store.Waiting(ctx)
	if err != nil {
		return err
	}
	p, err := s.group.Plan(waiting, s.now())
	if p == nil || err != nil {
		s.loaded = err == nil
		return err
	}
	if err := s.commit(ctx, Change{Publication: p}); err != nil {
		s.loaded = false
		return err
	}
	s.group.Publish(p)
	return nil
}
