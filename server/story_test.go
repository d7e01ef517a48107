package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
)

func TestASessionLivesAndEnds(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	if s.ExpiresAt != "2026-11-23T22:00:00Z" || s.SessionExpiresAt != "2026-11-24T10:00:00Z" || s.ExpiresIn != 43200 {
		t.Errorf("the specification's ends: %+v", s)
	}
	v := data[api.Validation](t, w.validate(s.SessionToken))
	if !v.Valid || v.TimeRemaining != 43200 || v.Principal != w.person.Principal() || len(v.Permissions) != 4 {
		t.Errorf("validation: %+v", v)
	}
	w.clock.Advance(11*time.Hour + 55*time.Minute)
	next := data[api.Tokens](t, w.refresh(s.RefreshToken))
	if next.ExpiresAt != "2026-11-24T09:55:00Z" || next.SessionExpiresAt != s.SessionExpiresAt {
		t.Errorf("after the refresh: %+v", next)
	}
	w.want(w.validate(s.SessionToken), 200, "") // in flight when the refresh came
	w.want(w.validate(next.SessionToken), 200, "")

	w.want(w.call("POST", "/api/auth/sessions/logout", next.SessionToken, nil), 200, "")
	w.want(w.call("POST", "/api/auth/sessions/logout", next.SessionToken, nil), 200, "") // repeated
	w.want(w.validate(next.SessionToken), 401, api.SessionInvalid)
	w.want(w.refresh(next.RefreshToken), 401, api.RefreshFailed)
	if a := w.validate(next.SessionToken); !strings.Contains(string(a.Body), `"data":{"valid":false,"reason":"session_invalid"}`) {
		t.Errorf("what keeps the specification's client alive: %s", a.Body)
	}
}

func TestNoRefreshMovesTheAbsoluteEnd(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	for range 3 {
		w.clock.Advance(7 * time.Hour)
		s = data[api.Tokens](t, w.refresh(s.RefreshToken))
	}
	if s.ExpiresAt != s.SessionExpiresAt || s.RefreshAt != nil {
		t.Errorf("at the end a refresh reaches no further: %+v", s)
	}
	w.clock.Advance(3 * time.Hour)
	a := w.validate(s.SessionToken)
	w.want(a, 401, api.SessionExpired)
	if a.reason() != "session_ended" {
		t.Errorf("reason %q", a.reason())
	}
	w.want(w.refresh(s.RefreshToken), 401, api.RefreshFailed)
}

func TestIdleEnds(t *testing.T) {
	w := newWorld(t)
	reporting := w.signIn(api.CreateRequest{Activity: "reported"})
	silent := w.signIn(api.CreateRequest{})

	w.clock.Advance(31 * time.Minute) // the specification's monitor asks, the person says yes
	silent = data[api.Tokens](t, w.refresh(silent.RefreshToken))
	reporting = data[api.Tokens](t, w.refresh(reporting.RefreshToken)) // no sign of a person

	w.clock.Advance(4*time.Minute - time.Second)
	background, _ := http.NewRequest("GET", w.url+"/api/auth/sessions/validate", nil)
	background.Header.Set("Authorization", "Bearer "+reporting.SessionToken)
	background.Header.Set("Session-Activity", "background")
	w.want(w.do(background), 200, "")
	w.clock.Advance(time.Second)
	a := w.validate(reporting.SessionToken)
	w.want(a, 401, api.SessionExpired)
	if a.reason() != "idle_timeout" {
		t.Errorf("reason %q", a.reason())
	}
	w.want(w.call("POST", "/api/auth/sessions/activity", reporting.SessionToken, nil), 401, api.SessionExpired)

	w.clock.Advance(11 * time.Hour)
	w.want(w.validate(silent.SessionToken), 200, "") // a client that cannot tell waits for its token's end
	w.clock.Advance(2 * time.Hour)
	w.want(w.refresh(silent.RefreshToken), 401, api.RefreshFailed) // 35 minutes after that it idled out
}

func TestActivityKeepsAReportingSessionAlive(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{Activity: "reported"})
	for range 8 {
		w.clock.Advance(34 * time.Minute)
		w.want(w.call("POST", "/api/auth/sessions/activity", s.SessionToken, "{}"), 200, "")
	}
	w.want(w.validate(s.SessionToken), 200, "")
}

func TestATokenPastItsTimeCanStillBeRefreshed(t *testing.T) {
	w := newWorld(t)
	minute := int64(60)
	s := w.signIn(api.CreateRequest{Duration: &minute})
	w.clock.Advance(2 * time.Minute)
	a := w.validate(s.SessionToken)
	w.want(a, 401, api.SessionExpired)
	if a.reason() != "token_expired" {
		t.Errorf("reason %q", a.reason())
	}
	w.want(w.refresh(s.RefreshToken), 200, "")
}

func TestTwentyRefreshesAtOnceStepOnce(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[string]int{}
	for range 20 {
		wg.Go(func() {
			next := data[api.Tokens](t, w.refresh(s.RefreshToken))
			mu.Lock()
			got[next.RefreshToken]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("%d different successors", len(got))
	}
}

func TestALostAnswerIsGivenAgain(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	next := data[api.Tokens](t, w.refresh(s.RefreshToken))
	w.clock.Advance(10 * time.Minute)
	again := data[api.Tokens](t, w.refresh(s.RefreshToken)) // hours later, if nobody used the successor
	if again.RefreshToken != next.RefreshToken {
		t.Error("another successor")
	}
	w.want(w.validate(again.SessionToken), 200, "") // seen in use
	w.want(w.refresh(s.RefreshToken), 401, api.RefreshFailed)
	w.want(w.validate(again.SessionToken), 401, api.SessionInvalid) // that was theft
}

func TestASlowTabIsToldToLookAgain(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	next := data[api.Tokens](t, w.refresh(s.RefreshToken))
	w.want(w.validate(next.SessionToken), 200, "")
	w.clock.Advance(10 * time.Second)
	w.want(w.refresh(s.RefreshToken), 200, "") // within the grace
	w.clock.Advance(time.Second)
	w.want(w.refresh(s.RefreshToken), 409, api.RefreshSuperseded)
	w.want(w.validate(next.SessionToken), 200, "")
}

func TestAThiefIsFoundWithinFourRounds(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	victim, thief := s.RefreshToken, s.RefreshToken
	for round := 1; round <= 4; round++ {
		for _, who := range []*string{&thief, &victim} {
			w.clock.Advance(5 * time.Minute)
			a := w.refresh(*who)
			if a.code() == api.RefreshFailed {
				return
			}
			next := data[api.Tokens](t, a)
			*who = next.RefreshToken
			w.want(w.validate(next.SessionToken), 200, "")
		}
	}
	t.Error("the thief was not found")
}

func TestElevationKillsEveryEarlierToken(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(api.CreateRequest{})
	narrow := data[api.Tokens](t, w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":["read:profile"]}`))
	w.want(w.validate(s.SessionToken), 401, api.SessionExpired)
	w.want(w.refresh(s.RefreshToken), 409, api.RefreshSuperseded) // never the successor, not even in the grace
	w.want(w.call("GET", "/api/auth/sessions/validate?permission=write:messages", narrow.SessionToken, nil), 403, api.PermissionDenied)
	w.want(w.call("GET", "/api/auth/sessions/validate?permission=read:profile", narrow.SessionToken, nil), 200, "")

	w.clock.Advance(16 * time.Minute)
	stale := w.call("PATCH", "/api/auth/sessions/current", narrow.SessionToken, `{"permissions":["read:profile","join:groups"]}`)
	w.want(stale, 401, api.ReauthenticationRequired)
	if !strings.Contains(stale.Header.Get("WWW-Authenticate"), `insufficient_user_authentication`) {
		t.Errorf("RFC 9470: %q", stale.Header.Get("WWW-Authenticate"))
	}
	w.want(w.call("PATCH", "/api/auth/sessions/current", narrow.SessionToken, `{"permissions":["read:all_profiles"]}`), 403, api.PermissionDenied)

	c := data[api.Challenge](t, w.call("POST", "/api/auth/challenge", narrow.SessionToken, api.ChallengeRequest{Purpose: "reauthenticate"}))
	credential, err := w.person.Credential(c.Message)
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.call("POST", "/api/auth/sessions", credential, nil), 401, api.ChallengeInvalid) // not for signing in
	fresh := data[api.Tokens](t, w.call("POST", "/api/auth/sessions/reauthenticate", narrow.SessionToken, api.ReauthenticateRequest{Credential: credential}))
	w.want(w.call("POST", "/api/auth/sessions/reauthenticate", fresh.SessionToken, api.ReauthenticateRequest{Credential: credential}), 401, api.ChallengeInvalid)
	w.want(w.validate(narrow.SessionToken), 401, api.SessionExpired)
	w.want(w.call("GET", "/api/auth/sessions/validate?max_age=10", fresh.SessionToken, nil), 200, "")
	wide := data[api.Tokens](t, w.call("PATCH", "/api/auth/sessions/current", fresh.SessionToken, `{"permissions":["read:profile","join:groups"]}`))
	w.want(w.validate(wide.SessionToken), 200, "")
	if wide.SessionExpiresAt != s.SessionExpiresAt {
		t.Error("the absolute end moved")
	}
}

func TestASilentDelegationDoesNotReauthenticateTwice(t *testing.T) {
	w := newWorld(t)
	key := w.newPerson()
	delegated, err := w.person.Delegate(key, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s := data[api.Tokens](t, w.call("POST", "/api/auth/sessions", w.credential(delegated), nil))
	if s.SessionExpiresAt != "2026-11-23T11:00:00Z" {
		t.Errorf("the session outlives its delegation: %s", s.SessionExpiresAt)
	}
	c := data[api.Challenge](t, w.call("POST", "/api/auth/challenge", s.SessionToken, api.ChallengeRequest{Purpose: "reauthenticate"}))
	credential, _ := delegated.Credential(c.Message)
	w.want(w.call("POST", "/api/auth/sessions/reauthenticate", s.SessionToken, api.ReauthenticateRequest{Credential: credential}), 401, api.CredentialInvalid)
}

func TestMySessionsAreMine(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(api.CreateRequest{DeviceLabel: "Firefox on Android"})
	b := w.signIn(api.CreateRequest{})
	list := data[api.SessionList](t, w.call("GET", "/api/auth/sessions", b.SessionToken, nil))
	if len(list.Sessions) != 2 || list.Sessions[0].DeviceLabel != "Firefox on Android" || !list.Sessions[1].Current {
		t.Errorf("list: %+v", list)
	}
	mine := w.person
	w.person = w.newPerson()
	stranger := w.signIn(api.CreateRequest{})
	foreign := w.call("DELETE", "/api/auth/sessions/"+a.SessionID, stranger.SessionToken, nil)
	unknown := w.call("DELETE", "/api/auth/sessions/nonsense", stranger.SessionToken, nil)
	w.want(foreign, 404, api.NotFound)
	if string(foreign.Body) != string(unknown.Body) {
		t.Error("a stranger can tell an id that exists")
	}
	w.person = mine
	w.want(w.call("DELETE", "/api/auth/sessions/"+a.SessionID, b.SessionToken, nil), 200, "")
	w.want(w.validate(a.SessionToken), 401, api.SessionInvalid)
	w.signIn(api.CreateRequest{})
	if n := data[api.EndCount](t, w.call("DELETE", "/api/auth/sessions", b.SessionToken, nil)); n.Ended != 1 {
		t.Errorf("ended %d", n.Ended)
	}
	w.want(w.validate(b.SessionToken), 200, "")
	w.want(w.call("DELETE", "/api/auth/sessions?include=current", b.SessionToken, nil), 200, "")
	w.want(w.validate(b.SessionToken), 401, api.SessionInvalid)
}

func TestFiftySignInsAtOnceKeepTheLimit(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 50 {
		credential := w.credential(w.person)
		wg.Go(func() { w.want(w.call("POST", "/api/auth/sessions", credential, nil), 201, "") })
	}
	wg.Wait()
	last := w.signIn(api.CreateRequest{})
	if n := len(data[api.SessionList](t, w.call("GET", "/api/auth/sessions", last.SessionToken, nil)).Sessions); n != 10 {
		t.Errorf("%d live sessions", n)
	}
}

func TestAChallengeIsAnsweredOnce(t *testing.T) {
	w := newWorld(t)
	credential := w.credential(w.person)
	var wg sync.WaitGroup
	var mu sync.Mutex
	status := map[int]int{}
	for range 8 {
		wg.Go(func() {
			a := w.call("POST", "/api/auth/sessions", credential, nil)
			mu.Lock()
			status[a.Status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if status[201] != 1 || status[401] != 7 {
		t.Errorf("statuses %v", status)
	}
	late := w.credential(w.person)
	w.clock.Advance(5 * time.Minute)
	w.want(w.call("POST", "/api/auth/sessions", late, nil), 401, api.ChallengeInvalid)
}

func TestARestartKeepsWhatWasAcknowledged(t *testing.T) {
	w := newWorld(t)
	kept := w.signIn(api.CreateRequest{})
	gone := w.signIn(api.CreateRequest{})
	w.want(w.call("POST", "/api/auth/sessions/logout", "", api.LogoutRequest{RefreshToken: gone.RefreshToken}), 200, "")
	w.stop()
	w.serve()
	w.want(w.validate(kept.SessionToken), 200, "")
	w.want(w.validate(gone.SessionToken), 401, api.SessionInvalid)
}
