package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

func registrant(t *testing.T, st session.Store, id string) session.Registrant {
	t.Helper()
	p, err := st.Professional(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func professionals(t *testing.T, st session.Store) {
	account := session.Account{Chain: session.Ethereum, Address: "0xabc"}
	if _, err := st.Professional(t.Context(), "lic_a"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := st.ProfessionalOf(t.Context(), account); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("nobody's account: %v", err)
	}
	a := session.Registrant{ID: "lic_a", Accounts: []session.Account{account}, Licences: []session.Licence{
		{Number: "7 \"ü", Authority: "Board", Jurisdiction: "DE-BY", Status: session.LicenceVerified, ValidUntil: at, Announced: true},
		{Number: "8", Authority: "Board", Jurisdiction: "US-CA", Status: session.LicencePending, ValidUntil: at.Add(time.Hour)},
	}}
	apply(t, st, session.Change{Professionals: []session.Registrant{a}})
	refused(t, st, session.Change{Professionals: []session.Registrant{a}}, session.ErrConflict)
	got := registrant(t, st, "lic_a")
	if a.Version = 1; !reflect.DeepEqual(got, a) {
		t.Errorf("got  %+v\nwant %+v", got, a)
	}
	if of, err := st.ProfessionalOf(t.Context(), account); err != nil || !reflect.DeepEqual(of, a) {
		t.Errorf("by account: %+v, %v", of, err)
	}

	if of, err := st.LicenceHolder(t.Context(), "Board", "7 \"ü"); err != nil || !reflect.DeepEqual(of, a) {
		t.Errorf("by licence: %+v, %v", of, err)
	}
	for _, none := range [][2]string{{"Board", "9"}, {"7 \"ü", "Board"}, {"board", "8"}, {"", ""}} {
		if _, err := st.LicenceHolder(t.Context(), none[0], none[1]); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("nobody's licence: %v", err)
		}
	}

	for _, c := range []session.Registrant{
		{ID: "lic_b", Accounts: a.Accounts},
		{ID: "lic_b", Licences: a.Licences[1:]},
	} {
		refused(t, st, session.Change{Professionals: []session.Registrant{c}}, session.ErrTaken)
		if _, err := st.Professional(t.Context(), "lic_b"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("a refused entry stayed: %v", err)
		}
	}

	// A change that relies on an entry commits only while it is as it was.
	n := session.UsedNonce{Key: [20]byte{7}}
	refused(t, st, session.Change{Nonce: &n, Holds: &session.Hold{Professional: "lic_a", Version: 2}}, session.ErrConflict)
	refused(t, st, session.Change{Nonce: &n, Holds: &session.Hold{Professional: "lic_x", Version: 1}}, session.ErrConflict)
	apply(t, st, session.Change{Nonce: &n, Holds: &session.Hold{Professional: "lic_a", Version: 1}})
	refused(t, st, session.Change{Professionals: []session.Registrant{a}}, session.ErrConflict) // who changes it learns of that
	a.Version = 2

	next := a.Clone()
	next.Accounts, next.Licences = nil, next.Licences[1:]
	apply(t, st, session.Change{Professionals: []session.Registrant{next}})
	refused(t, st, session.Change{Holds: &session.Hold{Professional: "lic_a", Version: 1}}, session.ErrConflict)
	apply(t, st, session.Change{Professionals: []session.Registrant{{ID: "lic_b", Accounts: a.Accounts, Licences: a.Licences[:1]}}}) // what it gave up
	if of, err := st.ProfessionalOf(t.Context(), account); err != nil || of.ID != "lic_b" {
		t.Errorf("by account: %+v, %v", of, err)
	}
	list, err := st.Professionals(t.Context(), "", 9)
	if err != nil || len(list) != 2 || list[0].ID != "lic_a" || list[1].ID != "lic_b" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = st.Professionals(t.Context(), "lic_a", 9); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}

	s := Session(at)
	s.Type, s.Subject.Professional = session.Professional, "lic_b"
	apply(t, st, session.Change{Insert: []session.Session{s}, Records: []session.Record{{Action: session.ActionProfessional, At: at, SubjectID: "lic_b", Actor: "op_a"}}})
	if got := get(t, st, s.ID); got.Subject != s.Subject {
		t.Errorf("%+v", got.Subject)
	}
	if r, err := st.Records(t.Context(), 0, 9); err != nil || len(r) != 1 || r[0].Actor != "op_a" {
		t.Errorf("%+v, %v", r, err)
	}
}
