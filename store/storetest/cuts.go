package storetest

import (
	"reflect"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

func cuts(t *testing.T, st session.Store) {
	if list, err := st.Cuts(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	want := []session.Cut{
		{Number: 1, At: at},
		{Number: 2, At: at.Add(time.Hour), Type: session.Anonymous, CreatedFrom: at.Add(-2 * time.Hour), CreatedBefore: at, KeyFrom: at.Add(-time.Hour), KeyUntil: at.Add(time.Hour)},
	}
	refused(t, st, session.Change{Cut: &want[1]}, session.ErrConflict)
	for i := range want {
		apply(t, st, session.Change{Cut: &want[i]})
		refused(t, st, session.Change{Cut: &want[i]}, session.ErrConflict)
	}
	if list, err := st.Cuts(t.Context()); err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("%+v, %v", list, err)
	}
	if n, err := st.Sweep(t.Context(), session.SweepCut{Cuts: at.Add(2 * time.Hour)}, 9); n != 1 || err != nil { // the newest stays
		t.Errorf("swept %d, %v", n, err)
	}
	refused(t, st, session.Change{Cut: &want[0]}, session.ErrConflict)
}
