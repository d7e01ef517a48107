package session_test

import (
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
)

// fullHouse is a house with a professional whose store can be full.
func fullHouse(t *testing.T) (*house, *sessiontest.FaultyStore, session.Registrant) {
	h := newHouse(t)
	p := h.register(start.Add(365 * 24 * time.Hour))
	store := &sessiontest.FaultyStore{Store: h.store}
	h.config.Store = store
	h.open()
	return h, store, p
}

// A full store takes nothing new into the registry and makes no operator: each
// act answers that it was not done, and was not.
func TestAFullStoreTakesNothingIntoTheRegistry(t *testing.T) {
	h, store, p := fullHouse(t)
	h.imports(false, "8,Board,DE-BY,suspended,2028-12-31", "9,Board,DE-BY,pending,2028-12-31")
	waits := p.Clone()
	waits.ID, waits.Accounts, waits.Licences[0].Number, waits.Review = session.NewProfessionalID(), nil, "10", true
	waits.Version = 0
	if err := h.store.Apply(t.Context(), session.Change{Professionals: []session.Registrant{waits}})[0]; err != nil {
		t.Fatal(err)
	}
	user := h.signIn(session.CreateRequest{}).Session.Subject.ID
	if err := h.Block(t.Context(), user, operator); err != nil {
		t.Fatal(err)
	}
	before := h.records()
	acts := map[string]func() error{
		"add": func() error {
			_, err := h.AddProfessional(t.Context(), session.Registrant{Licences: []session.Licence{{Number: "11", Authority: "Board", Jurisdiction: "X", ValidUntil: start}}}, operator)
			return err
		},
		"amend": func() error {
			_, err := h.AmendProfessional(t.Context(), p.ID, session.ProfessionalChange{Accounts: &[]session.Account{}}, operator)
			return err
		},
		"import": func() error {
			_, err := h.ImportProfessionals(t.Context(), csv("11,Board,DE-BY,pending,2028-12-31"), false, operator)
			return err
		},
		"import at once": func() error {
			_, err := h.ImportProfessionals(t.Context(), csv("11,Board,DE-BY,pending,2028-12-31"), true, operator)
			return err
		},
		"verify": func() error {
			_, err := h.ActOnLicence(t.Context(), "Board", "9", session.LicenceVerify, operator)
			return err
		},
		"reinstate": func() error {
			_, err := h.ActOnLicence(t.Context(), "Board", "8", session.LicenceReinstate, operator)
			return err
		},
		"confirm":     func() error { _, err := h.Confirm(t.Context(), waits.ID, operator); return err },
		"confirm all": func() error { _, err := h.ConfirmAll(t.Context(), operator); return err },
		"add an operator": func() error {
			o, key, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root)
			if key != "" || o.ID != "" {
				t.Error("a key that is nobody's was given")
			}
			return err
		},
		"unblock": func() error { return h.Unblock(t.Context(), user, operator) },
		"erase":   func() error { return h.EraseUser(t.Context(), user, operator) },
	}
	store.Be(sessiontest.Full)
	for name, act := range acts {
		if err := act(); session.CodeOf(err) != session.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.records(); got != before {
		t.Errorf("%d acts are on record that were not done", got-before)
	}
	if got, err := h.Professional(t.Context(), p.ID); err != nil || len(got.Accounts) != 1 || h.entries() != 4 {
		t.Errorf("%+v, %d entries, %v", got, h.entries(), err)
	}
	if len(h.alarms) == 0 || h.alarms[0] != "store_full" {
		t.Errorf("alarms %v", h.alarms)
	}
	store.Be(sessiontest.NoFault) // and once there is room, all is as ever
	for _, name := range []string{"import", "add an operator", "verify", "reinstate", "confirm", "unblock", "erase"} {
		if name == "add an operator" {
			if _, _, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root); err != nil {
				t.Error(err)
			}
			continue
		}
		if err := acts[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// On a full store a leaked key, a suspended therapist and a stolen laptop are
// still shut out.
func TestAFullStoreStillTakesRightsAway(t *testing.T) {
	for name, act := range map[string]func(h *house, ada session.Operator, user string) error{
		"suspend": func(h *house, _ session.Operator, _ string) error {
			_, err := h.ActOnLicence(t.Context(), "Board", "7", session.LicenceSuspend, operator)
			return err
		},
		"revoke": func(h *house, _ session.Operator, _ string) error {
			_, err := h.ActOnLicence(t.Context(), "Board", "7", session.LicenceRevoke, operator)
			return err
		},
		"block": func(h *house, _ session.Operator, user string) error { return h.Block(t.Context(), user, operator) },
		"end many": func(h *house, _ session.Operator, _ string) error {
			return h.EndMany(t.Context(), session.Selection{}, operator)
		},
		"end those of a user": func(h *house, _ session.Operator, user string) error {
			return h.EndMany(t.Context(), session.Selection{SubjectID: user}, operator)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, store, _ := fullHouse(t)
			ada, key, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root)
			if err != nil {
				t.Fatal(err)
			}
			tokens := h.professional()
			store.Be(sessiontest.Full)
			if err := act(h, ada, tokens.Session.Subject.ID); err != nil {
				t.Fatal(err)
			}
			if h.alive(tokens) {
				t.Error("the session lives on")
			}
			if o, err := h.RevokeOperator(t.Context(), ada.ID, root); err != nil || o.RevokedAt.IsZero() {
				t.Errorf("%+v, %v", o, err)
			}
			if err := h.FollowCuts(t.Context()); err != nil {
				t.Error(err)
			}
			h.open()
			if h.alive(tokens) {
				t.Error("a restart brings it back")
			}
			_, err = h.Authorise(t.Context(), key, session.SeePeople)
			wantCode(t, err, session.CodeCredentialInvalid)
		})
	}
}
