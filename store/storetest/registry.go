package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
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
	apply(t, st, session.Change{Insert: []session.Session{s}, Records: []session.Record{{Action: session.ActionProfessional, At: at, SubjectID: "lic_b", Actor: "op_a", Changed: "status"}}})
	if got := get(t, st, s.ID); got.Subject != s.Subject {
		t.Errorf("%+v", got.Subject)
	}
	if r, err := st.Records(t.Context(), 0, 9); err != nil || len(r) != 1 || r[0].Actor != "op_a" || r[0].Changed != "status" {
		t.Errorf("%+v, %v", r, err)
	}
}

// reviews puts a registry to review as a whole, and the operators out.
func reviews(t *testing.T, st session.Store) {
	entry := func(id string, review bool) session.Registrant {
		return session.Registrant{ID: id, Review: review, Licences: []session.Licence{{Number: id, Authority: "Board"}}}
	}
	gone := session.Operator{ID: "op_b", Name: "Bob", RevokedAt: at}
	apply(t, st, session.Change{
		Professionals: []session.Registrant{entry("lic_a", false), entry("lic_b", true), entry("lic_c", false)},
		Operators:     []session.Operator{{ID: "op_a", Name: "Ada"}, gone, {ID: "svc_a", Name: "notes", Role: session.RoleService}},
	})
	waits := func(want ...string) {
		t.Helper()
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, err := st.ToReview(t.Context(), after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			if got = append(got, page[0].ID); !page[0].Review {
				t.Errorf("%+v", page[0])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v wait, want %v", got, want)
		}
	}
	waits("lic_b")
	later := at.Add(time.Hour)
	apply(t, st, session.Change{Distrust: later, Records: []session.Record{{Action: session.ActionEpoch, At: later}}})
	waits("lic_a", "lic_b", "lic_c")
	a := registrant(t, st, "lic_a")
	refused(t, st, session.Change{Professionals: []session.Registrant{entry("lic_a", false)}}, session.ErrConflict)
	a.Review = false
	apply(t, st, session.Change{Professionals: []session.Registrant{a}})
	waits("lic_b", "lic_c")
	for id, want := range map[string]time.Time{"op_a": later, "op_b": at, "svc_a": {}} {
		if o, err := st.Operator(t.Context(), id); err != nil || !o.RevokedAt.Equal(want) {
			t.Errorf("%+v, %v", o, err)
		}
	}
	add := session.Operator{ID: "op_c", Name: "Cyd"}
	apply(t, st, session.Change{Operators: []session.Operator{add}})
	if o, err := st.Operator(t.Context(), "op_c"); err != nil || !o.RevokedAt.IsZero() {
		t.Errorf("%+v, %v", o, err)
	}
}

func erasure(t *testing.T, st session.Store) {
	s, other := Session(at), Session(at)
	ended := Session(at.Add(-time.Hour))
	ended.Subject, ended.EndedAt, ended.EndReason = s.Subject, at, session.EndLogout
	second := session.Account{Chain: session.Ethereum, Address: "0xabc"}
	for _, a := range []session.Account{s.Subject.Account, second} {
		apply(t, st, session.Change{Link: &session.Link{Account: a, UserID: s.Subject.ID, At: at}})
	}
	apply(t, st, session.Change{
		Insert: []session.Session{s, other, ended}, Roster: &session.Roster{SubjectID: s.Subject.ID, Sessions: []token.ID{s.ID}},
		Records: []session.Record{{Action: session.ActionCreate, At: at, SubjectID: s.Subject.ID}},
	})
	low, high := min(s.Subject.ID, other.Subject.ID), max(s.Subject.ID, other.Subject.ID)
	apply(t, st, session.Change{Link: &session.Link{Account: session.Account{Chain: session.Ethereum, Address: "0xdef"}, UserID: other.Subject.ID, At: at}})
	if got, err := st.Users(t.Context(), "", 9); err != nil || !slices.Equal(got, []string{low, high}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := st.Users(t.Context(), low, 1); err != nil || !slices.Equal(got, []string{high}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := st.Erased(t.Context(), "", 9); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := st.AccountsOf(t.Context(), s.Subject.ID); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	s.EndedAt, s.EndReason = at, session.EndRevoked
	apply(t, st, session.Change{Update: []session.Session{s}, Roster: &session.Roster{SubjectID: s.Subject.ID, Version: 1}, Erase: s.Subject.ID, Records: []session.Record{
		{Action: session.ActionErase, At: at, SubjectID: s.Subject.ID}, {Action: session.ActionErase, At: at, SubjectID: "user_"}, // as often as it is said
		{Action: session.ActionErase, At: at, SubjectID: "user_"}, {Action: session.ActionBlock, At: at, SubjectID: other.Subject.ID},
	}})
	if got, err := st.Erased(t.Context(), "", 9); err != nil || !slices.Equal(got, []string{"user_", s.Subject.ID}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := st.Erased(t.Context(), "user_", 9); err != nil || !slices.Equal(got, []string{s.Subject.ID}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := st.Users(t.Context(), "", 9); err != nil || !slices.Equal(got, []string{other.Subject.ID}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, id := range []token.ID{s.ID, ended.ID} {
		if _, err := st.Session(t.Context(), id); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("a session stayed: %v", err)
		}
	}
	for _, a := range []session.Account{s.Subject.Account, second} {
		if _, err := st.UserOf(t.Context(), a); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("an account stayed: %v", err)
		}
	}
	if r, err := st.Roster(t.Context(), s.Subject.ID); err != nil || r.Version != 0 {
		t.Errorf("a roster stayed: %+v, %v", r, err)
	}
	get(t, st, other.ID)
	if r, err := st.Records(t.Context(), 0, 9); err != nil || len(r) != 5 {
		t.Errorf("the trail is gone: %v, %v", r, err)
	}
}
