package session

import (
	"context"
	"errors"
	"slices"
)

// After a restore the registry may say what was taken back since the backup was
// made: a licence was suspended, an account removed. So raising the restore
// epoch puts every entry to review, and nobody signs in by one until an operator
// has confirmed it as it is. No file of licences confirms anything.

// ToReview returns up to limit entries that wait for review behind the one with
// the id after, by their ids.
func (s *Service) ToReview(ctx context.Context, after string, limit int) ([]Registrant, error) {
	list, err := s.store.ToReview(ctx, after, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return list, nil
}

// Confirm ends the review of an entry: its accounts and its licences count as
// they are. That it does not wait is no error, and is recorded.
func (s *Service) Confirm(ctx context.Context, id string, by Act) (Registrant, error) {
	return s.changeEntry(ctx, ActionConfirm, by, func(p Registrant) (Registrant, error) {
		p.Review = false
		return p, nil
	}, func() (Registrant, error) { return s.Professional(ctx, id) })
}

// ConfirmAll confirms every entry that waits, each with its record, and returns
// how many. Cut off, it can be called again.
func (s *Service) ConfirmAll(ctx context.Context, by Act) (confirmed int, err error) {
	if err := by.check(); err != nil {
		return 0, err
	}
	for after := ""; ; {
		list, err := s.ToReview(ctx, after, licencePage)
		if err != nil || len(list) == 0 {
			return confirmed, err
		}
		after = list[len(list)-1].ID
		for some := range slices.Chunk(list, importBatch) {
			n, err := s.confirmTogether(ctx, some, by)
			if confirmed += n; err != nil {
				return confirmed, err
			}
		}
	}
}

// confirmTogether confirms some entries in one go; one that somebody changes
// meanwhile, by itself.
func (s *Service) confirmTogether(ctx context.Context, list []Registrant, by Act) (confirmed int, err error) {
	changes := make([]Change, len(list))
	for i, p := range list {
		after := p
		after.Review = false
		changes[i] = Change{Professionals: []Registrant{after}, Records: []Record{s.entryRecord(ActionConfirm, &p, &after, by)}}
	}
	for i, err := range s.commitAll(ctx, changes...) {
		if errors.Is(err, ErrConflict) {
			_, err = s.Confirm(ctx, list[i].ID, by)
		}
		if err != nil {
			return confirmed, unavailable(err)
		}
		confirmed++
	}
	return confirmed, nil
}
