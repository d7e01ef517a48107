package session_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// house is a service over a real store and real wallets, on a fake clock.
type house struct {
	*session.Service
	t      testing.TB
	store  session.Store
	clock  *sessiontest.Clock
	config session.Config
	alarms []string
	person *icp.Identity
}

func (h *house) Alarm(name string)   { h.alarms = append(h.alarms, name) }
func (h *house) Event(session.Event) {}

func newHouse(t testing.TB) *house {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "s.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := &house{t: t, store: store, clock: sessiontest.NewClock(start)}
	h.config = session.Config{
		Store: store, MasterKey: session.MasterKey{1, 2, 3}, Issuer: "https://sessions.example.org", Now: h.clock.Now, Observer: h,
		Verifier: wallet.New(wallet.Config{Domain: "sessions.example.org", URI: "https://sessions.example.org/api/auth/sessions", Service: "Example"}, icp.Chain()),
	}
	h.open()
	if h.person, err = icp.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	return h
}

// open opens the service anew over the same store, as a restart does.
func (h *house) open() {
	h.t.Helper()
	var err error
	if h.Service, err = session.NewService(h.t.Context(), h.config); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) signIn(r session.CreateRequest) session.Tokens {
	h.t.Helper()
	p, err := h.Challenge(h.t.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: h.person.Principal()}})
	if err != nil {
		h.t.Fatal(err)
	}
	if r.Credential, err = h.person.Credential(p.Message); err != nil {
		h.t.Fatal(err)
	}
	tokens, err := h.Create(h.t.Context(), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return tokens
}

var anything = session.Requirement{MaxAge: -1}

// In any sequence of acts, by tabs that hold any of the tokens ever issued, the
// ends do not move out, permissions stay within the policy, generations only
// grow, and what has ended stays ended.
func TestAnySequenceOfActsKeepsTheRules(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			h := newHouse(t)
			first := h.signIn(session.CreateRequest{Reporting: seed%2 == 0})
			policy := session.DefaultPolicies()[session.Standard]
			issued := []session.Tokens{first}
			newest, ended := uint32(1), false
			any := func() session.Tokens { return issued[max(0, len(issued)-1-rng.IntN(3))] }
			for range 400 {
				var out session.Tokens
				var err error
				switch rng.IntN(6) {
				case 0:
					h.clock.Advance(time.Duration(rng.Int64N(int64(20 * time.Minute))))
					continue
				case 1:
					h.clock.Advance(time.Duration(rng.Int64N(int64(12 * time.Second))))
					continue
				case 2:
					out, err = h.Refresh(t.Context(), any().RefreshToken, "")
				case 3:
					out.Session, err = h.Validate(t.Context(), any().SessionToken, anything, session.Personal)
				case 4:
					out.Session, err = h.Touch(t.Context(), any().SessionToken)
				case 5:
					want := slices.Clone(policy.Permissions)
					rng.Shuffle(len(want), func(i, j int) { want[i], want[j] = want[j], want[i] })
					out, err = h.Amend(t.Context(), any().SessionToken, session.AmendRequest{Permissions: want[:rng.IntN(len(want)+1)]})
				}
				if err != nil {
					if session.CodeOf(err) == session.CodeUnavailable {
						t.Fatal(err)
					}
					row, e := h.store.Session(t.Context(), first.Session.ID)
					if e != nil {
						t.Fatal(e)
					}
					if ended && !row.Ended() {
						t.Fatal("an ended session lives again")
					}
					ended = row.Ended()
					continue
				}
				row := out.Session
				switch {
				case ended:
					t.Fatalf("an ended session answered: %+v", row)
				case !row.AbsoluteEnd.Equal(first.Session.AbsoluteEnd):
					t.Fatal("the absolute end moved")
				case row.ExpiresAt.After(row.AbsoluteEnd), row.IdleEnd().After(row.AbsoluteEnd):
					t.Fatal("an end lies beyond the absolute end")
				case policy.Permissions.Lacking(row.Permissions...) != nil:
					t.Fatalf("permissions %v", row.Permissions)
				case row.Generation < newest:
					t.Fatal("a generation went back")
				}
				newest = row.Generation
				if !out.SessionToken.IsZero() {
					issued = append(issued, out)
				}
			}
		})
	}
}

func TestNoEndLiesBeyondTheAbsoluteEnd(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{Reporting: true})
	for !h.clock.Now().Add(31 * time.Minute).After(s.Session.AbsoluteEnd) {
		h.clock.Advance(30 * time.Minute)
		next, err := h.Refresh(t.Context(), s.RefreshToken, "")
		if err != nil {
			t.Fatal(err)
		}
		row, err := h.Touch(t.Context(), next.SessionToken)
		if err != nil {
			t.Fatal(err)
		}
		if row.IdleEnd().After(row.AbsoluteEnd) || row.ExpiresAt.After(row.AbsoluteEnd) {
			t.Fatalf("idle end %s, token end %s, absolute end %s", row.IdleEnd(), row.ExpiresAt, row.AbsoluteEnd)
		}
		s = next
	}
}

func TestTheStoreWentBackInTime(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{})
	next, err := h.Refresh(t.Context(), s.RefreshToken, "")
	if err != nil {
		t.Fatal(err)
	}
	// An old backup: the row is one generation behind.
	back := newHouse(t)
	row := s.Session
	if err := back.store.Apply(t.Context(), session.Change{Insert: []session.Session{row}})[0]; err != nil {
		t.Fatal(err)
	}
	if _, err := back.Refresh(t.Context(), next.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
		t.Errorf("%v", err)
	}
	if !slices.Contains(back.alarms, "store_rollback") {
		t.Error("no alarm")
	}
}

func TestRaisingTheRestoreEpochEndsEverySession(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{})
	h.config.RestoreEpoch = 1
	h.open()
	if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeInvalid {
		t.Errorf("validate: %v", err)
	}
	if _, err := h.Refresh(t.Context(), s.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
		t.Errorf("refresh: %v", err)
	}
	fresh := h.signIn(session.CreateRequest{})
	if fresh.Session.Subject.ID != s.Session.Subject.ID {
		t.Error("the account has another user now")
	}
	h.config.RestoreEpoch = 0
	if _, err := session.NewService(t.Context(), h.config); err == nil {
		t.Error("a node below the store's epoch started")
	}
	h.config.RestoreEpoch, h.config.MasterKey = 1, session.MasterKey{9}
	if _, err := session.NewService(t.Context(), h.config); err == nil {
		t.Error("a node with another master key started")
	}
}

func TestKeysRotateByThemselves(t *testing.T) {
	h := newHouse(t)
	kids := map[string]bool{}
	var old session.Tokens
	for day := range 120 {
		if err := h.Keys().Load(t.Context(), h.store, h.clock.Now()); err != nil {
			t.Fatal(err)
		}
		signing := ""
		for _, k := range h.Keys().List() {
			if k.State == "signing" {
				signing = k.ID
			}
		}
		if !kids[signing] && day > 0 {
			if day%30 != 0 {
				t.Errorf("a new key signs on day %d", day)
			}
			// Nobody is logged out by a rotation.
			if _, err := h.Validate(t.Context(), old.SessionToken, anything, session.Glance); err != nil {
				t.Errorf("day %d: %v", day, err)
			}
		}
		kids[signing] = true
		if day%30 == 29 {
			if n := len(h.Keys().List()); n != 2 {
				t.Errorf("a day ahead %d keys are published, want 2", n)
			}
		}
		h.clock.Advance(24*time.Hour - time.Minute)
		old = h.signIn(session.CreateRequest{})
		h.clock.Advance(time.Minute)
	}
	if len(kids) != 4 {
		t.Errorf("%d keys signed in 120 days", len(kids))
	}
	if stored, _ := h.store.Keys(t.Context()); len(stored) > 2 {
		t.Errorf("%d keys are kept", len(stored))
	}
}

func TestEveryChangeHasItsRecord(t *testing.T) {
	h := newHouse(t)
	s := h.signIn(session.CreateRequest{RequestID: "req_1"})
	s, err := h.Refresh(t.Context(), s.RefreshToken, "req_2")
	if err != nil {
		t.Fatal(err)
	}
	label := "Safari"
	s2, err := h.Amend(t.Context(), s.SessionToken, session.AmendRequest{Permissions: []string{}, DeviceLabel: &label, RequestID: "req_3"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Logout(t.Context(), s2.SessionToken, session.Secret{}, "req_4"); err != nil {
		t.Fatal(err)
	}
	records, err := h.store.Records(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []session.Action
	for _, r := range records {
		got = append(got, r.Action)
		if r.SessionID != s.Session.ID || r.RequestID == "" {
			t.Errorf("%+v", r)
		}
	}
	want := []session.Action{session.ActionCreate, session.ActionRefresh, session.ActionPermissions, session.ActionLabel, session.ActionEnd}
	if !slices.Equal(got, want) {
		t.Errorf("records %v", got)
	}
	events, _ := h.store.Events(t.Context(), false, 0, 100)
	if len(events) != 3 || events[2].Reason != session.EndLogout || events[1].MinGen != 3 {
		t.Errorf("events %+v", events)
	}
}

// Who checks tokens with the published keys refuses what none of them signed. So
// while a key without a public half has living tokens, none is published, on the
// way to HS256 and on the way from it.
func TestKeysAreNotPublishedWhileTokensLiveThatTheyDoNotOpen(t *testing.T) {
	published := func(h *house) int {
		keys, err := token.ParseJWKS(h.Keys().JWKS())
		if err != nil {
			t.Fatal(err)
		}
		return len(keys)
	}
	h := newHouse(t)
	for _, step := range []struct {
		alg  token.Algorithm
		want int
	}{{token.EdDSA, 1}, {token.ES256, 2}, {token.HS256, 0}, {token.EdDSA, 0}} {
		h.config.Algorithm = step.alg
		h.open()
		if got := published(h); got != step.want {
			t.Errorf("with %s: %d are published, want %d", step.alg, got, step.want)
		}
	}
	h.clock.Advance(session.KeySigningLife + session.MaxAbsoluteLife)
	h.open()
	if published(h) == 0 {
		t.Error("none is published when the last HS256 token is dead")
	}
}

// Tokens of one algorithm are refused by a service that never had its key, and
// accepted after a change of algorithm until they are dead.
func TestAlgorithms(t *testing.T) {
	for _, alg := range []token.Algorithm{token.EdDSA, token.ES256, token.HS256} {
		h := newHouse(t)
		h.config.Algorithm = alg
		h.open()
		s := h.signIn(session.CreateRequest{})
		if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		stranger := newHouse(t)
		if _, err := stranger.Validate(t.Context(), s.SessionToken, anything, session.Glance); session.CodeOf(err) != session.CodeInvalid {
			t.Errorf("%s: %v", alg, err)
		}
		h.config.Algorithm = token.EdDSA
		h.open()
		if _, err := h.Validate(t.Context(), s.SessionToken, anything, session.Glance); err != nil {
			t.Errorf("%s after the change: %v", alg, err)
		}
	}
}
