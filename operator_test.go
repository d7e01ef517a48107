package session_test

import (
	"slices"
	"strings"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
)

// root is the act of whoever holds the master key.
var root = session.Act{Operator: session.RootOperator, Reason: "somebody new"}

// A role may do what it is for, and nothing else; the last is nobody's.
func TestRolesMayDoWhatTheyAreFor(t *testing.T) {
	h := newHouse(t)
	all := []session.Right{session.SeePeople, session.ActOnPeople, session.SeeTrail, session.SeeOperators, session.ManageOperators}
	for role, may := range map[session.Role][]session.Right{
		session.RoleViewer:   {session.SeePeople, session.SeeOperators},
		session.RoleOperator: {session.SeePeople, session.ActOnPeople, session.SeeOperators},
		session.RoleAuditor:  {session.SeeTrail, session.SeeOperators},
		session.RoleRoot:     all,
	} {
		key := h.Keys().RootKey()
		if role != session.RoleRoot {
			var err error
			if _, key, err = h.AddOperator(t.Context(), "Ada", role, root); err != nil {
				t.Fatal(err)
			}
		}
		for _, right := range append(all, 0, session.ManageOperators+1) {
			o, err := h.Authorise(t.Context(), key, right)
			if want := slices.Contains(may, right); want != (err == nil) || want && o.Role != role {
				t.Errorf("%s, right %d: %+v, %v", role, right, o, err)
			} else if !want {
				wantCode(t, err, session.CodePermissionDenied)
			}
		}
	}
	for _, role := range []session.Role{"", "root", "admin", session.RoleRoot} {
		_, _, err := h.AddOperator(t.Context(), "Eve", role, root)
		wantCode(t, err, session.CodeInvalidRequest)
	}
}

// A key has one spelling and opens nothing once it is revoked, whatever runs.
func TestOnlyAGoodKeyIsAnOperators(t *testing.T) {
	h := newHouse(t)
	ada, key, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root)
	if err != nil {
		t.Fatal(err)
	}
	bob, other, err := h.AddOperator(t.Context(), "Bob", session.RoleOperator, root)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(key, ada.ID+"_") || len(key) != 63 {
		t.Errorf("a key of another shape: %d bytes", len(key))
	}
	secret, rootKey := key[len(ada.ID):], h.Keys().RootKey()
	last := map[byte]byte{}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range alphabet {
		last[alphabet[i]] = alphabet[i^1]
	}
	for name, wrong := range map[string]string{
		"none": "", "the id": ada.ID, "the id and a stroke": ada.ID + "_", "another's secret": ada.ID + other[len(bob.ID):],
		"under another's id": bob.ID + secret, "of nobody": "op_aaaaaaaaaaaaaaaa" + secret, "as root": session.RootOperator + secret,
		"root's as ada": ada.ID + rootKey[len(session.RootOperator):], "root's as nobody": "op_aaaaaaaaaaaaaaaa" + rootKey[len(session.RootOperator):],
		"one bit off": key[:len(key)-2] + string(last[key[len(key)-2]]) + key[len(key)-1:], "slack bits": key[:len(key)-1] + string(last[key[len(key)-1]]),
		"longer": key + "A", "shorter": key[:len(key)-1], "no secret": "_" + secret, "capitals": strings.ToUpper(ada.ID) + secret,
		"a newline": key[:30] + "\n" + key[31:], "zeroes": ada.ID + "_" + strings.Repeat("A", 43), "zeroes of nobody": "op_aaaaaaaaaaaaaaaa_" + strings.Repeat("A", 43),
	} {
		if _, err := h.Authorise(t.Context(), wrong, session.SeePeople); session.CodeOf(err) != session.CodeCredentialInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, good := range []string{key, other, rootKey} {
		if _, err := h.Authorise(t.Context(), good, session.ActOnPeople); err != nil {
			t.Error(err)
		}
	}

	for range 2 { // the second does nothing
		if o, err := h.RevokeOperator(t.Context(), ada.ID, root); err != nil || o.RevokedAt.IsZero() {
			t.Errorf("%+v, %v", o, err)
		}
	}
	h.open()
	_, err = h.Authorise(t.Context(), key, session.SeePeople)
	wantCode(t, err, session.CodeCredentialInvalid)
	if _, err := h.Authorise(t.Context(), other, session.SeePeople); err != nil {
		t.Errorf("another's key went too: %v", err)
	}
	for _, id := range []string{"op_nobody", session.RootOperator, ""} {
		_, err = h.RevokeOperator(t.Context(), id, root)
		wantCode(t, err, session.CodeNotFound)
	}

	records, err := h.store.Records(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var trail []string
	for _, r := range records {
		if r.Actor != root.Operator || r.Detail != root.Reason {
			t.Errorf("%+v", r)
		}
		trail = append(trail, string(r.Action)+" "+r.SubjectID)
	}
	if want := []string{"operator.add " + ada.ID, "operator.add " + bob.ID, "operator.revoke " + ada.ID}; !slices.Equal(trail, want) {
		t.Errorf("the trail is %v", trail)
	}
	list, err := h.Operators(t.Context(), "", 10)
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

// No act is done without somebody and a reason.
func TestNoActWithoutAReason(t *testing.T) {
	h := newHouse(t)
	p := h.register(start.AddDate(1, 0, 0))
	for _, by := range []session.Act{
		{}, {Operator: "op_a"}, {Reason: "because of it"}, {Operator: "op_a", Reason: "no"}, {Operator: "op_a", Reason: "    "},
		{Operator: "op_a", Reason: "a\u0007b"}, {Operator: "op_a", Reason: "a\nb"}, {Operator: "op_a", Reason: "a\xffb"},
		{Operator: "op_a", Reason: "x\u202ey"}, {Operator: "op_a", Reason: strings.Repeat("x", 201)},
	} {
		acts := map[string]func() error{
			"add an operator":    func() error { _, _, err := h.AddOperator(t.Context(), "Ada", session.RoleViewer, by); return err },
			"revoke an operator": func() error { _, err := h.RevokeOperator(t.Context(), "op_a", by); return err },
			"add a professional": func() error { _, err := h.AddProfessional(t.Context(), p, by); return err },
			"change one": func() error {
				_, err := h.ChangeProfessional(t.Context(), p.ID, by, func(p session.Registrant) (session.Registrant, error) { return p, nil })
				return err
			},
			"block":   func() error { return h.Block(t.Context(), "anon_x", by) },
			"unblock": func() error { return h.Unblock(t.Context(), "anon_x", by) },
		}
		for name, act := range acts {
			if err := act(); session.CodeOf(err) != session.CodeInvalidRequest || !strings.Contains(err.Error(), "reason") {
				t.Errorf("%s, %q: %v", name, by.Reason, err)
			}
		}
	}
}

// A store that cannot answer makes nobody an operator, and tells nobody that
// their key is wrong.
func TestAnUnknownOperatorIsNoAnswer(t *testing.T) {
	h := newHouse(t)
	faulty := &sessiontest.FaultyStore{Store: h.store}
	h.config.Store = faulty
	h.open()
	_, key, err := h.AddOperator(t.Context(), "Ada", session.RoleOperator, root)
	if err != nil {
		t.Fatal(err)
	}
	faulty.Be(sessiontest.Fails)
	_, err = h.Authorise(t.Context(), key, session.SeePeople)
	wantCode(t, err, session.CodeUnavailable)
	if o, secret, err := h.AddOperator(t.Context(), "Bob", session.RoleViewer, root); session.CodeOf(err) != session.CodeUnavailable || secret != "" || o.ID != "" {
		t.Errorf("a key that is nobody's: %v", err)
	}
	if _, err := h.Authorise(t.Context(), h.Keys().RootKey(), session.ActOnPeople); err != nil {
		t.Errorf("root needs no store: %v", err)
	}
}
