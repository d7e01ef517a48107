package storetest

import (
	"errors"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

func operators(t *testing.T, st session.Store) {
	if _, err := st.Operator(t.Context(), "op_a"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	a := session.Operator{ID: "op_a", Name: "Ada ü", Role: session.RoleViewer, KeyHash: [32]byte{1, 31: 2}, CreatedAt: at}
	b := session.Operator{ID: "op_b", Name: "Bob", Role: session.RoleAuditor, KeyHash: [32]byte{3}, CreatedAt: at}
	refused(t, st, session.Change{Operators: []session.Operator{{ID: "op_c", Version: 1}}}, session.ErrConflict)
	apply(t, st, session.Change{Operators: []session.Operator{a, b}})
	refused(t, st, session.Change{Operators: []session.Operator{a}}, session.ErrConflict)
	a.Version, b.Version = 1, 1
	if got, err := st.Operator(t.Context(), "op_a"); err != nil || got != a {
		t.Errorf("got %+v, %v", got, err)
	}
	a.RevokedAt = at.Add(time.Hour)
	apply(t, st, session.Change{Operators: []session.Operator{a}})
	refused(t, st, session.Change{Operators: []session.Operator{a}}, session.ErrConflict)
	a.Version = 2
	back := a
	back.RevokedAt = time.Time{}
	refused(t, st, session.Change{Operators: []session.Operator{back}}, session.ErrConflict)
	list, err := st.Operators(t.Context(), "", 9)
	if err != nil || len(list) != 2 || list[0] != a || list[1] != b {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = st.Operators(t.Context(), "op_a", 9); err != nil || len(list) != 1 || list[0] != b {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = st.Operators(t.Context(), "", 1); err != nil || len(list) != 1 || list[0] != a {
		t.Errorf("%+v, %v", list, err)
	}
}
