package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

func member(t *testing.T, st session.Store, userID string) session.Member {
	t.Helper()
	m, err := st.Member(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func waiting(t *testing.T, st session.Store) map[string]session.Member {
	t.Helper()
	list, err := st.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]session.Member{}
	for _, m := range list {
		out[m.UserID] = m
	}
	if len(out) != len(list) {
		t.Errorf("somebody waits twice: %+v", list)
	}
	return out
}

func places(t *testing.T, st session.Store) (out []session.Commitment) {
	t.Helper()
	for c, err := range st.Places(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func snapshots(t *testing.T, st session.Store, from int64, limit int) (out []string) {
	t.Helper()
	list, err := st.Snapshots(t.Context(), from, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		out = append(out, string(b))
	}
	return out
}

func members(t *testing.T, st session.Store) {
	if _, err := st.Member(t.Context(), "user_a"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	a := session.Member{UserID: "user_a", Current: session.Commitment{1}, AskedAt: at}
	apply(t, st, session.Change{Members: []session.Member{a}})
	refused(t, st, session.Change{Members: []session.Member{a}}, session.ErrConflict)
	refused(t, st, session.Change{Members: []session.Member{{UserID: "user_b", Current: session.Commitment{1}, AskedAt: at}}}, session.ErrTaken)
	first := member(t, st, "user_a")

	full := first
	full.Entered, full.Leaving, full.Next = true, true, session.Commitment{31: 2}
	apply(t, st, session.Change{Members: []session.Member{full}})
	refused(t, st, session.Change{Members: []session.Member{full}}, session.ErrConflict)
	got := member(t, st, "user_a")
	if full.Version = got.Version; got != full || got.Version == first.Version {
		t.Errorf("got  %+v\nwant %+v", got, full)
	}
	refused(t, st, session.Change{Members: []session.Member{{UserID: "user_b", Current: session.Commitment{31: 2}, AskedAt: at}}}, session.ErrTaken)
	refused(t, st, session.Change{Members: []session.Member{{UserID: "user_b", Current: session.Commitment{3}, Next: session.Commitment{1}, AskedAt: at}}}, session.ErrTaken)

	still := got // nothing waits for them
	still.Leaving, still.Next, still.AskedAt = false, session.Commitment{}, time.Time{}
	apply(t, st, session.Change{Members: []session.Member{still}})
	apply(t, st, session.Change{Members: []session.Member{{UserID: "user_b", Current: session.Commitment{31: 2}, AskedAt: at}}})
	if w := waiting(t, st); len(w) != 1 || w["user_b"].Current != (session.Commitment{31: 2}) {
		t.Errorf("waiting: %+v", w)
	}

	gone := member(t, st, "user_b")
	gone.Current = session.Commitment{}
	apply(t, st, session.Change{Members: []session.Member{gone}})
	if _, err := st.Member(t.Context(), "user_b"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("who left is still known: %v", err)
	}
	back := session.Member{UserID: "user_b", Current: session.Commitment{31: 2}, AskedAt: at}
	apply(t, st, session.Change{Members: []session.Member{back}})
	refused(t, st, session.Change{Members: []session.Member{gone}}, session.ErrConflict) // of the one who left
}

func publications(t *testing.T, st session.Store) {
	apply(t, st, session.Change{Members: []session.Member{{UserID: "user_a", Current: session.Commitment{1}, AskedAt: at}}})
	a := member(t, st, "user_a")
	entered := a
	entered.Entered, entered.AskedAt = true, time.Time{}
	first := session.Publication{Snapshot: []byte("zero"), Enter: []session.Commitment{{1}, {2}}, Members: []session.Member{entered}}
	wrong := first
	wrong.Number = 1
	refused(t, st, session.Change{Publication: &wrong}, session.ErrConflict)
	wrong = first
	wrong.First = 1
	refused(t, st, session.Change{Publication: &wrong}, session.ErrConflict)
	if got := places(t, st); len(got) != 0 {
		t.Errorf("a refused publication left %v", got)
	}
	apply(t, st, session.Change{Publication: &first})
	refused(t, st, session.Change{Publication: &first}, session.ErrConflict)
	if got := member(t, st, "user_a"); !got.Entered || len(waiting(t, st)) != 0 {
		t.Errorf("%+v", got)
	}

	second := session.Publication{Number: 1, Snapshot: []byte("one"), First: 2, Enter: []session.Commitment{{3}}, Vacate: []int{0}}
	stale := second
	stale.Members = []session.Member{entered} // of the version before
	refused(t, st, session.Change{Publication: &stale}, session.ErrConflict)
	apply(t, st, session.Change{Publication: &second})
	if got := places(t, st); !reflect.DeepEqual(got, []session.Commitment{{}, {2}, {3}}) {
		t.Errorf("places: %v", got)
	}
	for n := uint64(2); n < 5; n++ {
		apply(t, st, session.Change{Publication: &session.Publication{Number: n, Snapshot: fmt.Appendf(nil, "%d", n), First: 3}})
	}
	for _, c := range []struct {
		from  int64
		limit int
		want  []string
	}{
		{session.NewestSnapshots, 2, []string{"3", "4"}}, {session.NewestSnapshots, 9, []string{"zero", "one", "2", "3", "4"}},
		{0, 2, []string{"zero", "one"}}, {3, 9, []string{"3", "4"}}, {5, 9, nil},
	} {
		if got := snapshots(t, st, c.from, c.limit); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d of %d: %v", c.limit, c.from, got)
		}
	}

	many := session.Publication{Number: 5, Snapshot: []byte("5"), First: 3}
	for i := range 5000 { // more than a page
		many.Enter = append(many.Enter, session.Commitment{9, byte(i >> 8), byte(i)})
	}
	apply(t, st, session.Change{Publication: &many})
	if got := places(t, st); len(got) != 5003 || got[5002] != many.Enter[4999] {
		t.Errorf("%d places", len(got))
	}
	for range st.Places(t.Context()) {
		break // who stops early keeps nothing back
	}

	var wg sync.WaitGroup
	won := make(chan int, 8)
	for i := range 8 { // of several who publish at once, one does
		wg.Go(func() {
			p := session.Publication{Number: 6, Snapshot: []byte{byte(i)}, First: 5003, Enter: []session.Commitment{{8, byte(i)}}}
			if err := st.Apply(t.Context(), session.Change{Publication: &p})[0]; err == nil {
				won <- i
			} else if !errors.Is(err, session.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 || len(places(t, st)) != 5004 {
		t.Errorf("%d published, %d places", len(won), len(places(t, st)))
	}
}

// What is about pseudonyms is told apart from all else, and a trail of it tells
// no order.
func pseudonyms(t *testing.T, st session.Store) {
	id := token.NewID(token.Anonymous, at)
	for i := range 40 {
		apply(t, st, session.Change{
			Events: []session.Event{
				{Kind: session.EventCreated, At: at, SessionID: id, SubjectID: "anon_x", MinGen: uint32(i)},
				{Kind: session.EventCreated, At: at, SubjectID: "user_x", MinGen: uint32(i)},
			},
			Records: []session.Record{
				{Action: session.ActionEnd, At: at, SessionID: id, SubjectID: "anon_x", Detail: fmt.Sprintf("%02d", i), Actor: "op_x", RequestID: "req_x"},
				{Action: session.ActionEnd, At: at, SubjectID: "user_x"},
			},
		})
	}
	for _, anonymous := range []bool{false, true} {
		list, err := st.Events(t.Context(), anonymous, 0, 99)
		if err != nil || len(list) != 40 {
			t.Fatalf("%d events, %v", len(list), err)
		}
		for i, e := range list {
			if e.Anonymous() != anonymous || e.MinGen != uint32(i) || e.Position != uint64(i+1) {
				t.Errorf("anonymous %t: %+v", anonymous, e)
			}
		}
	}
	if list, err := st.Records(t.Context(), 0, 99); err != nil || len(list) != 40 || list[0].Anonymous() {
		t.Errorf("%d records, %v", len(list), err)
	}
	var after [20]byte
	seen, order := map[string]bool{}, 0
	for {
		list, err := st.AnonymousRecords(t.Context(), after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, r := range list {
			if bytes.Compare(r.Key[:], after[:]) <= 0 {
				t.Error("not by their keys")
			}
			if r.Detail == fmt.Sprintf("%02d", len(seen)) {
				order++
			}
			after, seen[r.Detail] = r.Key, true
			want := session.Record{Action: session.ActionEnd, At: at, SessionID: id, SubjectID: "anon_x", Detail: r.Detail, Actor: "op_x"}
			if r.Record != want {
				t.Errorf("kept %+v", r.Record)
			}
		}
	}
	if len(seen) != 40 || order > 20 {
		t.Errorf("%d records, %d of them where they came", len(seen), order)
	}
	late := session.Change{
		Events:  []session.Event{{At: at.Add(time.Hour), SubjectID: "anon_x"}},
		Records: []session.Record{{At: at.Add(time.Hour), SubjectID: "anon_x"}},
		Roster:  &session.Roster{SubjectID: "anon_x", Until: at.Add(time.Hour), BlockedUntil: at.Add(time.Minute)},
	}
	apply(t, st, late)
	apply(t, st, session.Change{Roster: &session.Roster{SubjectID: "user_x"}})
	if r, err := st.Roster(t.Context(), "anon_x"); err != nil || !r.Until.Equal(late.Roster.Until) || !r.BlockedUntil.Equal(late.Roster.BlockedUntil) {
		t.Errorf("%+v, %v", r, err)
	}
	sweepAll := func(cut session.SweepCut) (total int) {
		for {
			n, err := st.Sweep(t.Context(), cut, 9)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				return total
			}
			total += n
		}
	}
	if n := sweepAll(session.SweepCut{Records: at.Add(time.Second)}); n != 80-1 { // the newest of the others stays
		t.Errorf("swept %d records", n)
	}
	if n := sweepAll(session.SweepCut{Events: at.Add(time.Second)}); n != 40-1 { // likewise
		t.Errorf("swept %d events", n)
	}
	if n := sweepAll(session.SweepCut{Told: at.Add(time.Second)}); n != 40 {
		t.Errorf("swept %d events about pseudonyms", n)
	}
	if n := sweepAll(session.SweepCut{Rosters: at.Add(time.Hour - time.Second)}); n != 0 {
		t.Error("a roster was swept before its time")
	}
	if n := sweepAll(session.SweepCut{Rosters: at.Add(time.Hour)}); n != 1 {
		t.Errorf("swept %d rosters", n)
	}
	if r, _ := st.Roster(t.Context(), "user_x"); r.Version == 0 {
		t.Error("a user's roster was swept")
	}
}
