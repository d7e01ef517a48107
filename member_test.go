package session

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever a user asks for, in each epoch at most one commitment of theirs is in
// the group, and it is the one they asked for last before it began.
func TestAUserHasOneCommitmentAnEpoch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for range 2000 {
		m := Member{UserID: "user_a"}
		var wanted Commitment // zero: out
		for range 30 {
			now = now.Add(time.Minute)
			switch rng.IntN(4) {
			case 0, 1:
				wanted = Commitment{byte(1 + rng.IntN(3))}
				m = m.enrol(wanted, now)
			case 2:
				wanted = Commitment{}
				m = m.leave(now)
			case 3: // the turn, as a group serves it
				m.Entered, m.AskedAt = false, time.Time{}
				if m.Leaving {
					m.Current, m.Next, m.Leaving = m.Next, Commitment{}, false
				}
				if m.Entered = m.Current != (Commitment{}); m.Current != wanted {
					t.Fatalf("after a turn it is %v, wanted %v", m.Current, wanted)
				}
			}
			if m.Waits() != !m.AskedAt.IsZero() {
				t.Fatalf("waits %t since %v: %+v", m.Waits(), m.AskedAt, m)
			}
			if !m.AskedAt.Equal(m.AskedAt.Truncate(5 * time.Minute)) {
				t.Fatalf("asked at %v", m.AskedAt)
			}
			if m.Next != (Commitment{}) && (!m.Entered || !m.Leaving) {
				t.Fatalf("a successor of what is not there: %+v", m)
			}
		}
	}
}

func TestAStatusForEachState(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	a, b := Commitment{1}, Commitment{2}
	entered := Member{Current: a, Entered: true}
	for want, m := range map[MemberStatus]Member{
		NoMember: {}, MemberWaiting: Member{}.enrol(a, now), MemberEntered: entered.leave(now).enrol(a, now),
		MemberReplacing: entered.enrol(b, now), MemberLeaving: entered.enrol(b, now).leave(now),
	} {
		if got := m.Status(); got != want {
			t.Errorf("%+v is %s, want %s", m, got, want)
		}
	}
}
