package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
)

// ErasureMark stands for a user who was erased, on a list that is kept apart from
// the store. Without the master key nobody can tell whose it is, even with a
// backup that still has them.
type ErasureMark [16]byte

// ErasureMark is the mark of a user.
func (k *Keyring) ErasureMark(userID string) (mark ErasureMark) {
	mac := hmac.New(sha256.New, k.erasure[:])
	mac.Write([]byte(userID))
	copy(mark[:], mac.Sum(nil))
	return mark
}

// usersPage is how many users are looked at in one go.
const usersPage = 1000

// EraseAgain erases every user who has one of the marks, after an older state of
// the store was restored, and returns how many there were. Cut off, it can be
// called again.
func (s *Service) EraseAgain(ctx context.Context, marks map[ErasureMark]bool, by Act) (erased int, err error) {
	for after := ""; ; {
		page, err := s.store.Users(ctx, after, usersPage)
		if err != nil {
			return erased, unavailable(err)
		}
		if len(page) == 0 {
			return erased, nil
		}
		for _, id := range page {
			if after = id; !marks[s.keys.ErasureMark(id)] {
				continue
			}
			if err := s.EraseUser(ctx, id, by); err != nil && CodeOf(err) != CodeNotFound {
				return erased, err
			}
			erased++
		}
	}
}
