// Package storetest is the conformance suite that every store must pass.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// Session returns a live session with every field set, made at the time.
func Session(made time.Time) session.Session {
	s := session.Session{
		ID: token.NewID(token.Standard, made), Type: session.Standard,
		Subject:     session.Subject{ID: session.NewUserID(), Account: session.Account{Chain: session.InternetComputer, Address: "aaaaa-aa"}},
		Permissions: session.NewPermissions("read:profile", "write:messages"), DeviceLabel: "Firefox on Android – ünï", Reporting: true, Channel: session.Cookie,
		CreatedAt: made, AuthTime: made.Add(time.Second), SeenKeys: []session.KeyHash{{1}, {2, 3}},
		TokenLife: 12 * time.Hour, IdleLife: 35 * time.Minute, ExpiresAt: made.Add(12 * time.Hour), AbsoluteEnd: made.Add(24 * time.Hour),
		LastActivity: made.Add(1500 * time.Millisecond), Generation: 1<<32 - 1, UsedGen: 2, MinGen: 3, SteppedAt: made.Add(time.Millisecond),
		RestoreEpoch: 7, Cut: 3, Version: 1,
	}
	rand.Read(s.Seed[:])
	return s
}

func apply(t *testing.T, st session.Store, c session.Change) {
	t.Helper()
	if err := st.Apply(t.Context(), c)[0]; err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, st session.Store, c session.Change, want error) {
	t.Helper()
	if err := st.Apply(t.Context(), c)[0]; !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func get(t *testing.T, st session.Store, id token.ID) session.Session {
	t.Helper()
	s, err := st.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Run holds a store against its contract. open returns a new, empty store that
// the test closes.
func Run(t *testing.T, open func(t *testing.T) session.Store) {
	tests := map[string]func(*testing.T, session.Store){
		"every field comes back":                     everyField,
		"missing is ErrNotFound":                     missing,
		"an update names the version it was made of": updateCAS,
		"ended is final":                             endedIsFinal,
		"a roster is replaced by compare-and-swap":   rosterCAS,
		"an account has one user":                    links,
		"a nonce is used once":                       nonces,
		"a change commits wholly or not at all":      atomic,
		"a conflict takes no other with it":          independent,
		"who gives up waiting can hear of it later":  undecided,
		"live sessions come in order":                liveOrder,
		"keys":                                       keys,
		"meta":                                       meta,
		"events and records keep their order":        logs,
		"a sweep takes what is old, in batches":      sweep,
		"a commitment is one user's":                 members,
		"a cut has the next number":                  cuts,
		"a user is erased":                           erasure,
		"a group is published step by step":          publications,
		"the registry holds nobody twice":            professionals,
		"a revoked operator stays revoked":           operators,
		"a registry is put to review":                reviews,
		"what pseudonyms do is kept apart":           pseudonyms,
		"a closed store answers nothing":             closed,
		"steps at once win one by one":               concurrentSteps,
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			defer st.Close()
			f(t, st)
		})
	}
}

func everyField(t *testing.T, st session.Store) {
	full := Session(at)
	var sparse session.Session
	sparse.ID, sparse.Type, sparse.Version, sparse.Permissions = token.NewID(token.Professional, at), session.Professional, 1, session.NewPermissions()
	ended := Session(at)
	ended.EndedAt, ended.EndReason = at.Add(time.Hour), session.EndLimit
	apply(t, st, session.Change{Insert: []session.Session{full, sparse, ended}})
	for _, want := range []session.Session{full, sparse, ended} {
		got := get(t, st, want.ID)
		if len(got.Permissions) == 0 && len(want.Permissions) == 0 {
			got.Permissions = want.Permissions
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func missing(t *testing.T, st session.Store) {
	if _, err := st.Session(t.Context(), token.NewID(token.Standard, at)); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("session: %v", err)
	}
	if _, err := st.UserOf(t.Context(), session.Account{Chain: "icp", Address: "x"}); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("user: %v", err)
	}
	r, err := st.Roster(t.Context(), "nobody")
	if err != nil || r.Version != 0 || len(r.Sessions) != 0 || r.SubjectID != "nobody" {
		t.Errorf("roster: %+v, %v", r, err)
	}
	refused(t, st, session.Change{Update: []session.Session{Session(at)}}, session.ErrConflict)
}

func updateCAS(t *testing.T, st session.Store) {
	s := Session(at)
	apply(t, st, session.Change{Insert: []session.Session{s}})
	refused(t, st, session.Change{Insert: []session.Session{s}}, session.ErrConflict)
	old := s
	s.Generation = 5
	apply(t, st, session.Change{Update: []session.Session{s}})
	if got := get(t, st, s.ID); got.Version != 2 || got.Generation != 5 {
		t.Errorf("got version %d generation %d", got.Version, got.Generation)
	}
	refused(t, st, session.Change{Update: []session.Session{old}}, session.ErrConflict)
}

func endedIsFinal(t *testing.T, st session.Store) {
	s := Session(at)
	apply(t, st, session.Change{Insert: []session.Session{s}})
	s.EndedAt, s.EndReason = at, session.EndLogout
	apply(t, st, session.Change{Update: []session.Session{s}})
	s = get(t, st, s.ID)
	s.EndedAt, s.EndReason = time.Time{}, ""
	refused(t, st, session.Change{Update: []session.Session{s}}, session.ErrConflict)
}

func rosterCAS(t *testing.T, st session.Store) {
	r := session.Roster{SubjectID: "u", Sessions: []token.ID{token.NewID(token.Standard, at), token.NewID(token.Anonymous, at)}}
	apply(t, st, session.Change{Roster: &r})
	refused(t, st, session.Change{Roster: &r}, session.ErrConflict)
	got, err := st.Roster(t.Context(), "u")
	if err != nil || got.Version != 1 || !reflect.DeepEqual(got.Sessions, r.Sessions) {
		t.Fatalf("%+v, %v", got, err)
	}
	got.Sessions = nil
	apply(t, st, session.Change{Roster: &got})
	refused(t, st, session.Change{Roster: &got}, session.ErrConflict)
}

func links(t *testing.T, st session.Store) {
	a := session.Account{Chain: session.InternetComputer, Address: "aaaaa-aa"}
	apply(t, st, session.Change{Link: &session.Link{Account: a, UserID: "one", At: at}})
	refused(t, st, session.Change{Link: &session.Link{Account: a, UserID: "two", At: at}}, session.ErrConflict)
	if id, err := st.UserOf(t.Context(), a); err != nil || id != "one" {
		t.Errorf("%s, %v", id, err)
	}
}

func nonces(t *testing.T, st session.Store) {
	for round := range 100 {
		n := session.UsedNonce{Key: [20]byte{0, 0, 0, 0, byte(round)}}
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { errs[i] = st.Apply(t.Context(), session.Change{Nonce: &n})[0] })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, session.ErrNonceUsed) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d uses won", round, won)
		}
	}
}

func atomic(t *testing.T, st session.Store) {
	s, other := Session(at), Session(at)
	n := session.UsedNonce{Key: [20]byte{9}}
	c := session.Change{
		Nonce: &n, Link: &session.Link{Account: s.Subject.Account, UserID: "u", At: at},
		Roster: &session.Roster{SubjectID: "u", Sessions: []token.ID{s.ID}},
		Insert: []session.Session{s, other, s}, // the last conflicts with the first
		Events: []session.Event{{Kind: session.EventCreated, At: at}}, Records: []session.Record{{Action: session.ActionCreate, At: at}},
	}
	refused(t, st, c, session.ErrConflict)
	if _, err := st.Session(t.Context(), other.ID); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("a session stayed: %v", err)
	}
	if _, err := st.UserOf(t.Context(), s.Subject.Account); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("a link stayed: %v", err)
	}
	if r, _ := st.Roster(t.Context(), "u"); r.Version != 0 {
		t.Error("a roster stayed")
	}
	if e, _ := st.Events(t.Context(), false, 0, 9); len(e) != 0 {
		t.Error("an event stayed")
	}
	if r, _ := st.Records(t.Context(), 0, 9); len(r) != 0 {
		t.Error("a record stayed")
	}
	apply(t, st, session.Change{Nonce: &n})
}

func independent(t *testing.T, st session.Store) {
	a, b := Session(at), Session(at)
	apply(t, st, session.Change{Insert: []session.Session{a}})
	errs := st.Apply(t.Context(), session.Change{Insert: []session.Session{b}}, session.Change{Insert: []session.Session{a}}, session.Change{Update: []session.Session{a}})
	if errs[0] != nil || !errors.Is(errs[1], session.ErrConflict) || errs[2] != nil {
		t.Errorf("%v", errs)
	}
	get(t, st, b.ID)
}

func liveOrder(t *testing.T, st session.Store) {
	old, young := Session(at.Add(-48*time.Hour)), Session(at)
	gone := Session(at)
	gone.EndedAt, gone.EndReason = at, session.EndLogout
	apply(t, st, session.Change{Insert: []session.Session{young, gone, old}})
	collect := func(since time.Time) (ids []token.ID) {
		for s, err := range st.Live(t.Context(), since) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, s.ID)
		}
		return ids
	}
	if got := collect(at.Add(-72 * time.Hour)); !reflect.DeepEqual(got, []token.ID{old.ID, young.ID}) {
		t.Errorf("all: %v", got)
	}
	if got := collect(at); !reflect.DeepEqual(got, []token.ID{young.ID}) {
		t.Errorf("since: %v", got)
	}
	var many []session.Session
	for range 5000 { // more than a page
		many = append(many, Session(at.Add(time.Hour)))
	}
	apply(t, st, session.Change{Insert: many})
	if got := len(collect(at.Add(-72 * time.Hour))); got != 5002 {
		t.Errorf("%d of 5002", got)
	}
	for range 9 { // who stops early keeps nothing back, whichever page it is
		n := 0
		for range st.Live(t.Context(), at.Add(-72*time.Hour)) {
			if n++; n == 4500 {
				break
			}
		}
	}
	get(t, st, young.ID)
}

func keys(t *testing.T, st session.Store) {
	late := session.WrappedKey{ID: "b", Algorithm: token.EdDSA, CreatedAt: at, ActiveFrom: at.Add(time.Hour), Secret: []byte{1, 2}}
	early := session.WrappedKey{ID: "c", Algorithm: token.EdDSA, CreatedAt: at, ActiveFrom: at, Secret: []byte{3}}
	for _, k := range []session.WrappedKey{late, early} {
		if err := st.AddKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	twin := late
	twin.ID = "d"
	if err := st.AddKey(t.Context(), twin); !errors.Is(err, session.ErrConflict) {
		t.Errorf("a twin: %v", err)
	}
	got, err := st.Keys(t.Context())
	if err != nil || !reflect.DeepEqual(got, []session.WrappedKey{early, late}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := st.DropKeys(t.Context(), "b", "unknown"); err != nil {
		t.Fatal(err)
	}
	if got, _ := st.Keys(t.Context()); len(got) != 1 || got[0].ID != "c" {
		t.Errorf("%+v", got)
	}
}

func meta(t *testing.T, st session.Store) {
	zero, err := st.Meta(t.Context())
	if err != nil || !reflect.DeepEqual(zero, session.Meta{}) {
		t.Fatalf("%+v, %v", zero, err)
	}
	next := session.Meta{RestoreEpoch: 3, KeyCheck: []byte{1}, Running: true}
	if err := st.SetMeta(t.Context(), zero, next); err != nil {
		t.Fatal(err)
	}
	if err := st.SetMeta(t.Context(), zero, next); !errors.Is(err, session.ErrConflict) {
		t.Errorf("%v", err)
	}
	if got, _ := st.Meta(t.Context()); !reflect.DeepEqual(got, next) {
		t.Errorf("%+v", got)
	}
}

func logs(t *testing.T, st session.Store) {
	id := token.NewID(token.Standard, at)
	for _, anonymous := range []bool{false, true} {
		if _, err := st.NewestEvent(t.Context(), anonymous); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("the newest event of an empty log: %v", err)
		}
	}
	for i := range 5 {
		apply(t, st, session.Change{
			Events:  []session.Event{{Kind: session.EventEnded, At: at, SessionID: id, SubjectID: "u", Reason: session.EndLimit, MinGen: uint32(i)}},
			Records: []session.Record{{Action: session.ActionEnd, At: at, SessionID: id, SubjectID: "u", Detail: "limit", RequestID: string(rune('a' + i))}},
		})
	}
	e, err := st.Events(t.Context(), false, 0, 3)
	if err != nil || len(e) != 3 || e[2].MinGen != 2 || e[0].SessionID != id || e[0].Reason != session.EndLimit || !e[0].At.Equal(at) {
		t.Fatalf("%+v, %v", e, err)
	}
	if e[0].Position != 1 || e[2].Position != 3 {
		t.Errorf("positions do not count up from 1: %+v", e)
	}
	if e, _ = st.Events(t.Context(), false, e[2].Position, 9); len(e) != 2 || e[0].MinGen != 3 {
		t.Errorf("%+v", e)
	}
	if newest, err := st.NewestEvent(t.Context(), false); err != nil || !reflect.DeepEqual(newest, e[1]) {
		t.Errorf("the newest is %+v, %v", newest, err)
	}
	if _, err := st.NewestEvent(t.Context(), true); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the newest event of the other log: %v", err)
	}
	// A change that is not carried out leaves no hole.
	lost := session.Session{ID: id, Version: 7}
	if err := st.Apply(t.Context(), session.Change{Events: []session.Event{{At: at}}, Update: []session.Session{lost}})[0]; err == nil {
		t.Error("a session that is not there was updated")
	}
	apply(t, st, session.Change{Events: []session.Event{{Kind: session.EventUpdated, At: at, SessionID: id, SubjectID: "u"}}})
	if newest, err := st.NewestEvent(t.Context(), false); err != nil || newest.Position != 6 {
		t.Errorf("the next is %+v, %v", newest, err)
	}
	r, err := st.Records(t.Context(), 0, 9)
	if err != nil || len(r) != 5 || r[4].RequestID != "e" || r[0].Detail != "limit" || r[0].Action != session.ActionEnd {
		t.Errorf("%+v, %v", r, err)
	}
}

func sweep(t *testing.T, st session.Store) {
	var c session.Change
	for i := range 10 {
		made := at.Add(time.Duration(i) * time.Hour)
		c.Insert = append(c.Insert, Session(made))
		c.Events = append(c.Events, session.Event{At: made})
		c.Records = append(c.Records, session.Record{At: made})
	}
	apply(t, st, c)
	cut := session.SweepCut{Sessions: at.Add(5 * time.Hour), Events: at.Add(5 * time.Hour), Records: at.Add(5 * time.Hour)}
	total := 0
	for {
		n, err := st.Sweep(t.Context(), cut, 2)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		if n > 6 {
			t.Errorf("a batch of %d", n)
		}
		total += n
	}
	if total != 15 {
		t.Errorf("swept %d of 15", total)
	}
	if _, err := st.Session(t.Context(), c.Insert[4].ID); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("an old session stayed: %v", err)
	}
	get(t, st, c.Insert[5].ID)

	// Positions never repeat, even after all rows are old.
	last, err := st.Events(t.Context(), false, 0, 99)
	if err != nil {
		t.Fatal(err)
	}
	late := session.SweepCut{Events: at.Add(1000 * time.Hour), Records: at.Add(1000 * time.Hour)}
	for n := 1; n > 0; {
		if n, err = st.Sweep(t.Context(), late, 9); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, st, session.Change{Events: []session.Event{{At: at}}, Records: []session.Record{{At: at}}})
	events, err := st.Events(t.Context(), false, last[len(last)-1].Position, 99)
	if err != nil || len(events) != 1 {
		t.Errorf("a reader that had seen everything sees %d of the 1 new event, %v", len(events), err)
	}
	records, err := st.Records(t.Context(), last[len(last)-1].Position, 99)
	if err != nil || len(records) != 1 {
		t.Errorf("and %d of the 1 new record, %v", len(records), err)
	}

	// Events about pseudonyms go by a cutoff of their own.
	about := session.Change{Events: []session.Event{{At: at, SubjectID: "anon_a"}, {At: at.Add(time.Hour), SubjectID: "anon_b"}, {At: at.Add(time.Hour), SubjectID: "anon_c"}}}
	apply(t, st, about)
	if n, err := st.Sweep(t.Context(), session.SweepCut{Told: at.Add(time.Minute)}, 9); err != nil || n != 1 {
		t.Errorf("swept %d, %v", n, err)
	}
	left, err := st.Events(t.Context(), true, 0, 99)
	if err != nil || len(left) != 2 || left[0].SubjectID != "anon_b" || !left[0].Anonymous() {
		t.Errorf("%+v, %v", left, err)
	}
	if n, err := st.Sweep(t.Context(), session.SweepCut{Events: at.Add(9 * time.Hour)}, 9); err != nil || n > 1 {
		t.Errorf("swept %d, %v", n, err)
	}
	if left, _ := st.Events(t.Context(), true, 0, 99); len(left) != 2 {
		t.Errorf("%d are left of 2", len(left))
	}

	issued := uint32(at.Unix())
	n := session.UsedNonce{Key: [20]byte{byte(issued >> 24), byte(issued >> 16), byte(issued >> 8), byte(issued)}}
	apply(t, st, session.Change{Nonce: &n})
	if k, _ := st.Sweep(t.Context(), session.SweepCut{Nonces: at}, 9); k != 0 {
		t.Error("a young nonce was swept")
	}
	if k, _ := st.Sweep(t.Context(), session.SweepCut{Nonces: at.Add(time.Second)}, 9); k != 1 {
		t.Error("an old nonce stayed")
	}
}

// What a caller does not wait for is done or not done, and if it was taken its
// outcome says which.
func undecided(t *testing.T, st session.Store) {
	s := Session(at)
	apply(t, st, session.Change{Insert: []session.Session{s}})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 200 {
		err := st.Apply(gone, session.Change{Update: []session.Session{s}})[0]
		if late, ok := errors.AsType[*session.Undecided](err); ok {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the cause is lost: %v", err)
			}
			err = <-late.Outcome
		}
		switch done := get(t, st, s.ID).Version == s.Version+1; {
		case done != (err == nil):
			t.Fatalf("done: %v, told: %v", done, err)
		case done:
			s.Version++
		}
	}
}

func closed(t *testing.T, st session.Store) {
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := st.Apply(context.Background(), session.Change{})[0]; err == nil {
		t.Error("a change was taken")
	}
	if err := st.Ping(context.Background()); err == nil {
		t.Error("it still answers")
	}
}

func concurrentSteps(t *testing.T, st session.Store) {
	s := Session(at)
	s.Generation = 0
	apply(t, st, session.Change{Insert: []session.Session{s}})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for {
				row, err := st.Session(t.Context(), s.ID)
				if err != nil {
					t.Error(err)
					return
				}
				row.Generation++
				err = st.Apply(t.Context(), session.Change{Update: []session.Session{row}, Records: []session.Record{{Action: session.ActionRefresh, At: at}}})[0]
				if err == nil {
					return
				}
				if !errors.Is(err, session.ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := get(t, st, s.ID); got.Generation != 32 || got.Version != 33 {
		t.Errorf("generation %d, version %d", got.Generation, got.Version)
	}
	if r, _ := st.Records(t.Context(), 0, 100); len(r) != 32 {
		t.Errorf("%d records of 32 steps", len(r))
	}
}
