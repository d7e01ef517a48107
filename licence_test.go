package session_test

import (
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// From each status each act leads where it should, or is refused.
func TestActsOnALicence(t *testing.T) {
	h := newHouse(t)
	p := h.register(start.Add(60 * 24 * time.Hour))
	at := func(s session.LicenceStatus) { h.status(p.ID, s) }
	for from, acts := range map[session.LicenceStatus]map[session.LicenceAct]session.LicenceStatus{
		session.LicencePending:   {session.LicenceVerify: session.LicenceVerified, session.LicenceSuspend: session.LicenceSuspended, session.LicenceRevoke: session.LicenceRevoked},
		session.LicenceVerified:  {session.LicenceVerify: session.LicenceVerified, session.LicenceSuspend: session.LicenceSuspended, session.LicenceRevoke: session.LicenceRevoked},
		session.LicenceSuspended: {session.LicenceSuspend: session.LicenceSuspended, session.LicenceRevoke: session.LicenceRevoked, session.LicenceReinstate: session.LicenceVerified},
		session.LicenceRevoked:   {session.LicenceRevoke: session.LicenceRevoked, session.LicenceReinstate: session.LicenceVerified},
	} {
		for _, act := range []session.LicenceAct{session.LicenceVerify, session.LicenceSuspend, session.LicenceRevoke, session.LicenceReinstate, "", "delete"} {
			at(from)
			got, err := h.ActOnLicence(t.Context(), "Board", "7", act, operator)
			want, allowed := acts[act]
			if !allowed {
				wantCode(t, err, session.CodeInvalidRequest)
				if got, err = h.Professional(t.Context(), p.ID); err != nil || got.Licences[0].Status != from {
					t.Errorf("%q of a %s licence left %s, %v", act, from, got.Licences[0].Status, err)
				}
			} else if err != nil || got.Licences[0].Status != want {
				t.Errorf("%q of a %s licence: %+v, %v", act, from, got.Licences, err)
			}
		}
	}
	for _, nobody := range [][2]string{{"Board", "8"}, {"board", "7"}, {"", ""}} {
		_, err := h.ActOnLicence(t.Context(), nobody[0], nobody[1], session.LicenceSuspend, operator)
		wantCode(t, err, session.CodeNotFound)
	}
}

// A change of an entry reaches its statuses only by the acts on them.
func TestAChangeKeepsTheStatus(t *testing.T) {
	h := newHouse(t)
	p := h.register(start.Add(60 * 24 * time.Hour))
	h.status(p.ID, session.LicenceSuspended)
	amend := func(licences ...session.Licence) (session.Registrant, error) {
		return h.AmendProfessional(t.Context(), p.ID, session.ProfessionalChange{Licences: &licences}, operator)
	}
	l := p.Licences[0]
	_, err := amend(l) // verified
	wantCode(t, err, session.CodeInvalidRequest)
	l.Status, l.Jurisdiction = "", "DE-BE"
	more := session.Licence{Number: "8", Authority: "Board", Jurisdiction: "DE-BE", ValidUntil: l.ValidUntil}
	got, err := amend(l, more)
	if err != nil || got.Licences[0].Status != session.LicenceSuspended || got.Licences[0].Jurisdiction != "DE-BE" || got.Licences[1].Status != session.LicencePending || len(got.Accounts) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = amend()
	wantCode(t, err, session.CodeInvalidRequest)
	accounts := []session.Account{}
	if got, err = h.AmendProfessional(t.Context(), p.ID, session.ProfessionalChange{Accounts: &accounts}, operator); err != nil || len(got.Accounts) != 0 || len(got.Licences) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	accounts = append(accounts, session.Account{Chain: session.InternetComputer, Address: "2vxsx-fae"}) // anybody's
	_, err = h.AmendProfessional(t.Context(), p.ID, session.ProfessionalChange{Accounts: &accounts}, operator)
	wantCode(t, err, session.CodeInvalidRequest)
}

// A licence that ends later than was announced is announced anew.
func TestALaterEndIsAnnouncedAnew(t *testing.T) {
	h := newHouse(t)
	p := h.register(start.Add(60 * 24 * time.Hour))
	change := func(f func(*session.Licence)) session.Licence {
		got, err := h.ChangeProfessional(t.Context(), p.ID, operator, func(p session.Registrant) (session.Registrant, error) {
			f(&p.Licences[0])
			return p, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Licences[0]
	}
	entry, err := h.store.Professional(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	entry.Licences[0].Announced = true
	if err := h.store.Apply(t.Context(), session.Change{Professionals: []session.Registrant{entry}})[0]; err != nil {
		t.Fatal(err)
	}
	if l := change(func(l *session.Licence) { l.Jurisdiction = "DE-BE" }); !l.Announced {
		t.Error("a change of something else forgot the announcement")
	}
	if l := change(func(l *session.Licence) { l.ValidUntil = l.ValidUntil.Add(time.Hour) }); l.Announced {
		t.Error("the new end counts as announced")
	}
}

// An operator ends whatever lives of a subject, in one change and on record.
func TestAnOperatorEndsSessions(t *testing.T) {
	h := newHouse(t)
	first, second := h.signIn(session.CreateRequest{}), h.signIn(session.CreateRequest{})
	user := first.Session.Subject.ID
	list, err := h.SessionsOf(t.Context(), user)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d sessions, %v", len(list), err)
	}
	if err := h.EndSession(t.Context(), first.Session.ID, operator); err != nil {
		t.Fatal(err)
	}
	wantCode(t, h.EndSession(t.Context(), first.Session.ID, operator), session.CodeNotFound)
	_, err = h.Validate(t.Context(), first.SessionToken, anything, session.Glance)
	wantCode(t, err, session.CodeInvalid)
	if _, err := h.Validate(t.Context(), second.SessionToken, anything, session.Glance); err != nil {
		t.Error(err)
	}
	third := h.signIn(session.CreateRequest{})
	for _, want := range []int{2, 0} {
		if n, err := h.EndSessionsOf(t.Context(), user, operator); err != nil || n != want {
			t.Errorf("ended %d, %v", n, err)
		}
	}
	for _, tokens := range []session.Tokens{second, third} {
		_, err = h.Refresh(t.Context(), tokens.RefreshToken, "")
		wantCode(t, err, session.CodeRefreshFailed)
	}
	records, err := h.store.Records(t.Context(), 0, 100)
	acts := 0
	for _, r := range records {
		if r.Action == session.ActionRevoke && r.Actor == operator.Operator && r.Detail == operator.Reason && r.SubjectID == user {
			acts++
		}
	}
	if err != nil || acts != 3 {
		t.Errorf("%d acts on record, %v", acts, err)
	}
	_, err = h.EndSessionsOf(t.Context(), user, session.Act{Operator: "op_a"})
	wantCode(t, err, session.CodeInvalidRequest)
}
