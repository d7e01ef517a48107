package session

import (
	"context"
	"errors"
	"time"
)

// Commitment is what the group holds of a member: a canonical element of
// BN254's scalar field, big-endian. Zero is nobody's.
type Commitment [32]byte

// Member is what a user has in the group of those who can sign in anonymously:
// at most one commitment in each epoch. It tells nothing of the sessions they
// open there.
type Member struct {
	UserID  string
	Current Commitment // in the group, or waiting to enter it; zero: the user has none
	Entered bool       // Current is in the group
	Leaving bool       // Current leaves at the turn of the epoch
	Next    Commitment // comes in its place then; zero: none
	AskedAt time.Time  // coarse: since when something waits
	Version uint64     // as of a session; 0 for a user who has none
}

// MemberStatus says how a user stands to the group.
type MemberStatus string

// The statuses of a user.
const (
	NoMember        MemberStatus = "none"
	MemberWaiting   MemberStatus = "waiting"   // enters with the next batch
	MemberEntered   MemberStatus = "member"    // can sign in
	MemberLeaving   MemberStatus = "leaving"   // can sign in until the epoch is over
	MemberReplacing MemberStatus = "replacing" // too, and then with the next commitment
)

// Status tells how the user stands to the group.
func (m *Member) Status() MemberStatus {
	switch {
	case m.Current == (Commitment{}):
		return NoMember
	case !m.Entered:
		return MemberWaiting
	case m.Next != (Commitment{}):
		return MemberReplacing
	case m.Leaving:
		return MemberLeaving
	}
	return MemberEntered
}

// Waits reports whether the next snapshots change something for the user.
func (m *Member) Waits() bool { return m.Current != (Commitment{}) && (!m.Entered || m.Leaving) }

// enrol is m after its user asked for a commitment. What is in the group stays
// there until the epoch is over: with two commitments in one epoch a member
// would have two pseudonyms.
func (m Member) enrol(c Commitment, now time.Time) Member {
	switch {
	case m.Current == c:
		m.Leaving, m.Next = false, Commitment{}
	case m.Entered:
		m.Leaving, m.Next = true, c
	default:
		m.Current = c
	}
	return m.asked(now)
}

// leave is m after its user asked to leave.
func (m Member) leave(now time.Time) Member {
	if m.Entered {
		m.Leaving, m.Next = true, Commitment{}
	} else {
		m.Current = Commitment{}
	}
	return m.asked(now)
}

func (m Member) asked(now time.Time) Member {
	switch {
	case !m.Waits():
		m.AskedAt = time.Time{}
	case m.AskedAt.IsZero():
		m.AskedAt = now.UTC().Truncate(Anonymous.grain())
	}
	return m
}

// EnrolRequest asks for a place in the group.
type EnrolRequest struct {
	Commitment string // decimal
	Nonce      string // of the challenge that Proof answers
	Proof      []byte // that the sender holds the commitment's secret
}

// Enrol puts a commitment down for the session's user, to enter the group with
// the next batch, or in place of the one that is there at the turn of the epoch.
func (s *Service) Enrol(ctx context.Context, sessionToken Secret, r EnrolRequest) (Member, error) {
	if s.group == nil {
		return Member{}, notServed(Anonymous)
	}
	row, err := s.identified(ctx, sessionToken)
	if err != nil {
		return Member{}, err
	}
	now := s.now()
	want := Challenge{Purpose: PurposeEnrol, Type: Anonymous, SessionID: row.ID, Nonce: r.Nonce}
	c, nonce, err := s.keys.challenge.open(want, now)
	if err != nil {
		return Member{}, challengeInvalid(err)
	}
	commitment, err := s.group.Possession(ctx, c, r.Commitment, r.Proof)
	if err != nil {
		return Member{}, err
	}
	m, err := s.changeMember(ctx, row, ActionEnrol, &nonce, func(m Member) Member { return m.enrol(commitment, now) })
	if err == nil && s.publishing.TryLock() {
		defer s.publishing.Unlock()
		if err := s.publish(ctx); err != nil { // it will be tried again
			s.log.Debug("publishing", "error", err)
		} else if now, err := s.store.Member(ctx, row.Subject.ID); err == nil {
			m = now
		}
	}
	return m, err
}

// Leave takes the user's commitment out of the group: at the turn of the epoch,
// or at once if it has not entered yet.
func (s *Service) Leave(ctx context.Context, sessionToken Secret) (Member, error) {
	if s.group == nil {
		return Member{}, notServed(Anonymous)
	}
	row, err := s.identified(ctx, sessionToken)
	if err != nil {
		return Member{}, err
	}
	return s.changeMember(ctx, row, ActionLeave, nil, func(m Member) Member { return m.leave(s.now()) })
}

// identified is authenticate for the acts of a user who is known to the
// service: a pseudonym cannot enrol.
func (s *Service) identified(ctx context.Context, sessionToken Secret) (Session, error) {
	row, err := s.authenticate(ctx, sessionToken, Personal)
	if err == nil && row.Type == Anonymous {
		err = Refuse(CodeInvalidRequest, "This needs a session that is not anonymous.", nil)
	}
	return row, err
}

func (s *Service) changeMember(ctx context.Context, row Session, action Action, nonce *UsedNonce, change func(Member) Member) (Member, error) {
	for range maxAttempts {
		m, err := s.store.Member(ctx, row.Subject.ID)
		if errors.Is(err, ErrNotFound) {
			m, err = Member{UserID: row.Subject.ID}, nil
		}
		if err != nil {
			return Member{}, unavailable(err)
		}
		next := change(m)
		if next == m && nonce == nil {
			return m, nil
		}
		// The record is as coarse as all that is told of the group, and names no
		// request: a log knows the moment of those.
		c := Change{Members: []Member{next}, Nonce: nonce, Records: []Record{{
			Action: action, At: s.now().UTC().Truncate(Anonymous.grain()), SubjectID: row.Subject.ID,
		}}}
		switch err := s.commit(ctx, c); {
		case err == nil:
			return next, nil
		case errors.Is(err, ErrTaken):
			return Member{}, Refuse(CodeInvalidRequest, "Somebody else has enrolled this identity. Make a new one.", err)
		case errors.Is(err, ErrNonceUsed):
			return Member{}, challengeInvalid(err)
		case !errors.Is(err, ErrConflict):
			return Member{}, unavailable(err)
		}
	}
	return Member{}, unavailable(errContention)
}
