package session_test

import (
	"bytes"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// The trail of pseudonyms is read by its keys. What is new in it waits until its
// five minutes are long over: who reads as it comes would learn when it came, and
// who pages on would miss what comes before the end of the page.
func TestTheTrailOfPseudonymsIsReadLate(t *testing.T) {
	h := newHouse(t)
	act := func(subject string) {
		t.Helper()
		r := session.Record{Action: session.ActionCreate, At: h.clock.Now().Truncate(5 * time.Minute), SubjectID: subject}
		if err := h.store.Apply(t.Context(), session.Change{Records: []session.Record{r}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	read := func(after [20]byte, limit int) []session.AnonymousRecord {
		t.Helper()
		list, err := h.AnonymousRecords(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			if bytes.Compare(list[i].Key[:], after[:]) <= 0 {
				t.Errorf("%x comes after %x", list[i].Key, after)
			}
			after = list[i].Key
		}
		return list
	}
	for range 5 {
		act("anon_a")
	}
	act("user_a")
	h.clock.Advance(5 * time.Minute)
	act("anon_b")
	for _, c := range []struct {
		then time.Duration
		want int
	}{{0, 0}, {5*time.Minute - time.Second, 0}, {time.Second, 5}, {5*time.Minute - time.Second, 5}, {time.Second, 6}} {
		h.clock.Advance(c.then)
		if got := read([20]byte{}, 100); len(got) != c.want {
			t.Errorf("%d records at %s, want %d", len(got), h.clock.Now(), c.want)
		}
	}
	var seen []session.AnonymousRecord
	for after := ([20]byte{}); ; after = seen[len(seen)-1].Key {
		page := read(after, 4)
		if seen = append(seen, page...); len(page) < 4 {
			break
		}
	}
	if len(seen) != 6 || seen[5].SubjectID != "anon_b" || seen[0].SubjectID != "anon_a" {
		t.Errorf("%+v", seen)
	}
	identified, err := h.Records(t.Context(), 0, 100)
	if err != nil || len(identified) != 1 || identified[0].SubjectID != "user_a" {
		t.Errorf("%+v, %v", identified, err)
	}
}
