package session_test

import (
	"fmt"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// raise restarts the service with the restore epoch raised, as after a restore.
func (h *house) raise() {
	h.t.Helper()
	h.config.RestoreEpoch++
	h.open()
}

// The backup says "verified"; the suspension came after it. So after a restore
// nobody practises until an operator has looked: not by a file, not by a change
// of something else, not by a restart.
func TestAfterARestoreNobodyPractisesUnconfirmed(t *testing.T) {
	h := newHouse(t)
	p := h.register(start.Add(365 * 24 * time.Hour))
	h.professional()
	_, key, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root)
	if err != nil {
		t.Fatal(err)
	}
	h.raise()

	// A key that was revoked since the backup is in it as a good one.
	_, err = h.Authorise(t.Context(), key, session.SeePeople)
	wantCode(t, err, session.CodeCredentialInvalid)
	if _, err := h.Authorise(t.Context(), h.Keys().RootKey(), session.ManageOperators); err != nil {
		t.Error(err)
	}

	out := func(when string) {
		t.Helper()
		_, err := h.tryProfessional()
		wantCode(t, err, session.CodePermissionDenied)
		got, err := h.Professional(t.Context(), p.ID)
		if err != nil || !got.Review || got.Level(h.clock.Now()) != session.LevelPending || !got.Until(h.clock.Now()).IsZero() {
			t.Errorf("%s: %+v, %v", when, got, err)
		}
	}
	out("after the restore")
	h.wantDid(h.imports(false, "7,Board,DE-BY,verified,2028-12-31,icp,"+h.person.Principal()), "changed")
	out("after an import")
	if _, err := h.ActOnLicence(t.Context(), "Board", "7", session.LicenceVerify, operator); err != nil {
		t.Fatal(err)
	}
	out("after an act on the licence")
	accounts := []session.Account{h.account(h.person)}
	if _, err := h.AmendProfessional(t.Context(), p.ID, session.ProfessionalChange{Accounts: &accounts}, operator); err != nil {
		t.Fatal(err)
	}
	out("after a change")
	h.open()
	out("after a restart")
	if h.signIn(session.CreateRequest{}).Session.Type != session.Standard {
		t.Error("the person themselves may come")
	}

	_, err = h.Confirm(t.Context(), p.ID, session.Act{Operator: "op_a"})
	wantCode(t, err, session.CodeInvalidRequest)
	_, err = h.Confirm(t.Context(), "lic_nobody", operator)
	wantCode(t, err, session.CodeNotFound)
	out("after no confirmation")
	for range 2 {
		if got, err := h.Confirm(t.Context(), p.ID, operator); err != nil || got.Review || got.Level(h.clock.Now()) != session.LevelVerified {
			t.Errorf("%+v, %v", got, err)
		}
	}
	tokens := h.professional()
	h.open()
	if !h.alive(tokens) {
		t.Error("a restart asks for review anew")
	}
	h.raise()
	out("after the next restore")

	// A suspended licence stays so, confirmed or not.
	if _, err := h.ActOnLicence(t.Context(), "Board", "7", session.LicenceSuspend, operator); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Confirm(t.Context(), p.ID, operator); err != nil || got.Level(h.clock.Now()) != session.LevelSuspended {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = h.tryProfessional()
	wantCode(t, err, session.CodePermissionDenied)
}

// All are confirmed by one call, each with its record, and what is new since the
// restore does not wait.
func TestAWholeRegistryIsConfirmed(t *testing.T) {
	h := newHouse(t)
	const many = 400 // two commits
	var file []string
	for i := range many {
		file = append(file, fmt.Sprintf("%d,Board,DE-BY,verified,2028-12-31", i))
	}
	h.imports(false, file...)
	h.raise()
	if _, err := h.AddProfessional(t.Context(), session.Registrant{Licences: []session.Licence{{Number: "new", Authority: "Board", Jurisdiction: "DE-BY", ValidUntil: start.Add(time.Hour)}}}, operator); err != nil {
		t.Fatal(err)
	}
	if list, err := h.ToReview(t.Context(), "", 1000); err != nil || len(list) != many {
		t.Fatalf("%d wait, %v", len(list), err)
	}
	_, err := h.ConfirmAll(t.Context(), session.Act{Operator: "op_a", Reason: "x"})
	wantCode(t, err, session.CodeInvalidRequest)
	before := h.records()
	if n, err := h.ConfirmAll(t.Context(), operator); err != nil || n != many {
		t.Errorf("confirmed %d, %v", n, err)
	}
	if got := h.records() - before; got != many {
		t.Errorf("%d records", got)
	}
	if n, err := h.ConfirmAll(t.Context(), operator); err != nil || n != 0 {
		t.Errorf("confirmed %d again, %v", n, err)
	}
}
