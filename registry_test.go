package session_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet/icp"
)

var operator = session.Act{Operator: "op_test", Reason: "as the board says"}

func (h *house) account(who *icp.Identity) session.Account {
	return session.Account{Chain: session.InternetComputer, Address: who.Principal()}
}

// register puts the person into the registry with one verified licence.
func (h *house) register(until time.Time) session.Registrant {
	h.t.Helper()
	p, err := h.AddProfessional(h.t.Context(), session.Registrant{
		Accounts: []session.Account{h.account(h.person)},
		Licences: []session.Licence{{Number: "7", Authority: "Board", Jurisdiction: "DE-BY", Status: session.LicenceVerified, ValidUntil: until}},
	}, operator)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// tryProfessional signs the person in as a professional.
func (h *house) tryProfessional() (session.Tokens, error) {
	h.t.Helper()
	return h.Create(h.t.Context(), session.CreateRequest{Type: session.Professional, Credential: h.credential(session.Professional), Reporting: true})
}

// credential answers a fresh challenge as the person.
func (h *house) credential(t session.Type) string {
	h.t.Helper()
	c, err := h.Challenge(h.t.Context(), session.ChallengeRequest{Type: t, Account: h.account(h.person)})
	if err != nil {
		h.t.Fatal(err)
	}
	credential, err := h.person.Credential(c.Message)
	if err != nil {
		h.t.Fatal(err)
	}
	return credential
}

func (h *house) professional() session.Tokens {
	h.t.Helper()
	tokens, err := h.tryProfessional()
	if err != nil {
		h.t.Fatal(err)
	}
	return tokens
}

func (h *house) status(id string, s session.LicenceStatus) {
	h.t.Helper()
	_, err := h.ChangeProfessional(h.t.Context(), id, operator, func(p session.Registrant) (session.Registrant, error) {
		p.Licences[0].Status = s
		return p, nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, want session.Code) {
	t.Helper()
	if got := session.CodeOf(err); err == nil || got != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Only a verified licence opens a professional session, and the session ends
// with it at the latest.
func TestALicenceOpensAndBoundsASession(t *testing.T) {
	h := newHouse(t)
	_, err := h.tryProfessional()
	wantCode(t, err, session.CodePermissionDenied)

	end := start.Add(6 * time.Hour)
	p := h.register(end)
	tokens := h.professional()
	if s := tokens.Session; !s.AbsoluteEnd.Equal(end) || !s.ExpiresAt.Equal(end) || s.Subject.Professional != p.ID || !tokens.RefreshAt.IsZero() {
		t.Errorf("%+v", s)
	}
	for _, s := range []session.LicenceStatus{session.LicencePending, session.LicenceSuspended, session.LicenceRevoked} {
		h.status(p.ID, s)
		_, err := h.tryProfessional()
		wantCode(t, err, session.CodePermissionDenied)
	}
	h.status(p.ID, session.LicenceVerified)
	h.professional()

	h.clock.Advance(end.Sub(start) - time.Second)
	h.professional()
	h.clock.Advance(time.Second)
	_, err = h.tryProfessional()
	wantCode(t, err, session.CodePermissionDenied)
}

// A change that takes the right away ends what stood on it, in the same commit;
// one that takes nothing away ends nothing.
func TestALostRightEndsItsSessions(t *testing.T) {
	day := 24 * time.Hour
	other, err := icp.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(p *session.Registrant)
		ends   bool
	}{
		"suspended":                {func(p *session.Registrant) { p.Licences[0].Status = session.LicenceSuspended }, true},
		"revoked":                  {func(p *session.Registrant) { p.Licences[0].Status = session.LicenceRevoked }, true},
		"back to pending":          {func(p *session.Registrant) { p.Licences[0].Status = session.LicencePending }, true},
		"ends sooner":              {func(p *session.Registrant) { p.Licences[0].ValidUntil = start.Add(day) }, true},
		"the account is another's": {func(p *session.Registrant) { p.Accounts = nil }, true},
		"ends later":               {func(p *session.Registrant) { p.Licences[0].ValidUntil = start.Add(90 * day) }, false},
		"moved":                    {func(p *session.Registrant) { p.Licences[0].Jurisdiction = "DE-BE" }, false},
		"one more account": {func(p *session.Registrant) {
			p.Accounts = append(p.Accounts, session.Account{Chain: session.InternetComputer, Address: other.Principal()})
		}, false},
		"suspended here, verified there": {func(p *session.Registrant) {
			other := p.Licences[0]
			other.Authority = "Other board"
			p.Licences[0].Status = session.LicenceSuspended
			p.Licences = append(p.Licences, other)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			p := h.register(start.Add(60 * day))
			tokens, standard := h.professional(), h.signIn(session.CreateRequest{})
			if _, err := h.ChangeProfessional(t.Context(), p.ID, operator, func(p session.Registrant) (session.Registrant, error) {
				c.change(&p)
				return p, nil
			}); err != nil {
				t.Fatal(err)
			}
			_, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Personal)
			if c.ends {
				wantCode(t, err, session.CodeInvalid)
				_, err = h.Refresh(t.Context(), tokens.RefreshToken, "")
				wantCode(t, err, session.CodeRefreshFailed)
				if row, err := h.store.Session(t.Context(), tokens.Session.ID); err != nil || row.EndReason != session.EndLicenceChanged {
					t.Errorf("%s, %v", row.EndReason, err)
				}
			} else if err != nil {
				t.Errorf("it ended: %v", err)
			}
			if _, err := h.Validate(t.Context(), standard.SessionToken, anything, session.Personal); err != nil {
				t.Errorf("the same person's standard session ended: %v", err)
			}
			h.open() // and a restart knows no better
			if _, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Personal); (err != nil) != c.ends {
				t.Errorf("after a restart: %v", err)
			}
			records, err := h.store.Records(t.Context(), 0, 100)
			if err != nil || !slices.ContainsFunc(records, func(r session.StoredRecord) bool {
				return r.Action == session.ActionProfessional && r.Actor == operator.Operator && r.Detail == operator.Reason
			}) {
				t.Errorf("no record of who did it: %v", err)
			}
		})
	}
}

// However sign-ins and refreshes race with a suspension, nothing lives that
// stands on the suspended licence.
func TestNothingOutrunsASuspension(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		h := newHouse(t)
		p := h.register(start.Add(60 * 24 * time.Hour))
		first := h.professional()
		var wg sync.WaitGroup
		var mu sync.Mutex
		opened := []session.Tokens{first}
		for range 4 {
			challenge, err := h.Challenge(t.Context(), session.ChallengeRequest{Type: session.Professional, Account: h.account(h.person)})
			if err != nil {
				t.Fatal(err)
			}
			credential, err := h.person.Credential(challenge.Message)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				out, err := h.Create(t.Context(), session.CreateRequest{Type: session.Professional, Credential: credential, Reporting: true})
				if err != nil && session.CodeOf(err) != session.CodePermissionDenied {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					opened = append(opened, out)
				}
			})
			wg.Go(func() {
				out, err := h.Refresh(t.Context(), first.RefreshToken, "")
				if err != nil && session.CodeOf(err) != session.CodeRefreshFailed {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					opened = append(opened, out)
				}
			})
		}
		wg.Go(func() { h.status(p.ID, session.LicenceSuspended) })
		wg.Wait()
		for _, tokens := range opened {
			if _, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Glance); err == nil {
				t.Fatal("a session outlived its licence")
			}
		}
	}
}

// No sequence of acts gives a session a right that its licence does not carry,
// or an end past it.
func TestNoActsOutgrowALicence(t *testing.T) {
	acts := 1000
	if testing.Short() {
		acts = 200
	}
	rng := rand.New(rand.NewPCG(11, 12))
	h := newHouse(t)
	p := h.register(start.Add(48 * time.Hour))
	var live []session.Tokens
	policy := session.DefaultPolicies()[session.Professional]
	statuses := []session.LicenceStatus{session.LicenceVerified, session.LicenceVerified, session.LicenceVerified, session.LicencePending, session.LicenceSuspended, session.LicenceRevoked}
	for range acts {
		switch rng.IntN(7) {
		case 0:
			h.clock.Advance(time.Duration(rng.Int64N(int64(20 * time.Minute))))
		case 1, 2:
			if out, err := h.tryProfessional(); err == nil {
				live = append(live, out)
			} else {
				wantCode(t, err, session.CodePermissionDenied)
			}
		case 3:
			if len(live) > 0 {
				if out, err := h.Refresh(t.Context(), live[rng.IntN(len(live))].RefreshToken, ""); err == nil {
					live = append(live, out)
				}
			}
		case 4:
			h.status(p.ID, statuses[rng.IntN(len(statuses))])
		case 5:
			until := h.clock.Now().Add(time.Duration(rng.Int64N(int64(72 * time.Hour)))).Truncate(time.Second)
			if _, err := h.ChangeProfessional(t.Context(), p.ID, operator, func(p session.Registrant) (session.Registrant, error) {
				p.Licences[0].ValidUntil = until
				return p, nil
			}); err != nil {
				t.Fatal(err)
			}
		case 6:
			if len(live) > 0 {
				h.Amend(t.Context(), live[rng.IntN(len(live))].SessionToken, session.AmendRequest{Permissions: policy.Permissions[:rng.IntN(len(policy.Permissions)+1)]})
			}
		}
		now, err := h.clock.Now(), error(nil)
		if p, err = h.Professional(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		for _, tokens := range live {
			row, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Glance)
			if err != nil {
				continue
			}
			switch {
			case p.Level(now) != session.LevelVerified:
				t.Fatalf("a session lives while its licence is %s", p.Level(now))
			case row.AbsoluteEnd.After(p.Until(now)), row.ExpiresAt.After(p.Until(now)):
				t.Fatalf("a session until %v, its licence until %v", row.AbsoluteEnd, p.Until(now))
			case policy.Permissions.Lacking(row.Permissions...) != nil:
				t.Fatalf("permissions %v", row.Permissions)
			}
		}
		live = live[max(0, len(live)-8):]
	}
}

// What is sensitive needs a proof of the person that is fresh.
func TestSensitivePermissionsNeedAFreshProof(t *testing.T) {
	h := newHouse(t)
	h.register(start.Add(60 * 24 * time.Hour))
	tokens := h.professional()
	ask := func(permission string) error {
		_, err := h.Validate(t.Context(), tokens.SessionToken, session.Requirement{Permissions: []string{permission}, MaxAge: -1}, session.Personal)
		return err
	}
	h.clock.Advance(session.FreshAuthentication)
	for _, p := range session.DefaultPolicies()[session.Professional].Permissions {
		if err := ask(p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	h.clock.Advance(time.Second)
	for permission, sensitive := range map[string]bool{"read:all_profiles": true, "write:therapy_notes": true, "manage:sessions": true, "access:professional_tools": false} {
		err := ask(permission)
		var refusal *session.Error
		if sensitive && (!errors.As(err, &refusal) || refusal.Code != session.CodeReauthentication || refusal.MaxAge != 900) || !sensitive && err != nil {
			t.Errorf("%s: %v", permission, err)
		}
	}
	c, err := h.Challenge(t.Context(), session.ChallengeRequest{Purpose: session.PurposeReauthenticate, SessionToken: tokens.SessionToken})
	if err != nil {
		t.Fatal(err)
	}
	credential, err := h.person.Credential(c.Message)
	if err != nil {
		t.Fatal(err)
	}
	if tokens, err = h.Reauthenticate(t.Context(), tokens.SessionToken, credential, ""); err != nil {
		t.Fatal(err)
	}
	if err := ask("read:all_profiles"); err != nil {
		t.Error(err)
	}
}

// Accounts and licences are one entry's only.
func TestTheRegistryHoldsNobodyTwice(t *testing.T) {
	h := newHouse(t)
	h.register(start.Add(time.Hour))
	for name, p := range map[string]session.Registrant{
		"the account": {Accounts: []session.Account{h.account(h.person)}, Licences: []session.Licence{{Number: "8", Authority: "Board", Jurisdiction: "X", Status: session.LicencePending, ValidUntil: start}}},
		"the licence": {Licences: []session.Licence{{Number: "7", Authority: "Board", Jurisdiction: "X", Status: session.LicencePending, ValidUntil: start}}},
	} {
		if _, err := h.AddProfessional(t.Context(), p, operator); session.CodeOf(err) != session.CodeInvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Professional(t.Context(), "lic_nobody"); session.CodeOf(err) != session.CodeNotFound {
		t.Errorf("%v", err)
	}
	for i := range 25 {
		if _, err := h.AddProfessional(t.Context(), session.Registrant{Licences: []session.Licence{{Number: fmt.Sprint(100 + i), Authority: "Board", Jurisdiction: "X", Status: session.LicencePending, ValidUntil: start}}}, operator); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for after := ""; ; {
		list, err := h.Professionals(t.Context(), after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, p := range list {
			seen[p.ID], after = true, p.ID
		}
	}
	if len(seen) != 26 {
		t.Errorf("%d of 26 entries", len(seen))
	}
}
