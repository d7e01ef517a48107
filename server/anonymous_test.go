package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
)

// The whole life of a pseudonym: enrolled under a name, met again without one,
// somebody else in the next epoch.
func TestAPseudonymLastsForAnEpoch(t *testing.T) {
	w := newWorld(t, openGroup)
	ada, bob := w.newMember(), w.newMember()
	ada.enters(ada.enrolment())
	w.clock.Advance(anonymous.Coarse) // a snapshot in each at most
	bob.enters(bob.enrolment())

	first, who := ada.signInAnonymously()
	if first.SessionType != "anonymous" || !strings.HasPrefix(first.SessionID, "anon_") {
		t.Errorf("opened %+v", first)
	}
	if _, again := ada.signInAnonymously(); again != who {
		t.Errorf("the same member was %s and then %s", who, again)
	}
	if _, other := bob.signInAnonymously(); other == who {
		t.Error("two members have one pseudonym")
	}

	// What the specification shows of it.
	current := w.call("GET", "/api/auth/sessions/current", first.SessionToken, nil)
	object := data[api.Session](t, current)
	if object.AnonymousID != who || !strings.HasPrefix(object.ZKProof, "proof_") || object.UserID != "" {
		t.Errorf("%s", current.Body)
	}
	for _, at := range []string{object.CreatedAt, object.ExpiresAt, object.LastActivity, object.AuthTime, object.SessionExpiresAt} {
		if m, err := time.Parse(time.RFC3339, at); err != nil || !m.Equal(m.Truncate(anonymous.Coarse)) {
			t.Errorf("%s is finer than five minutes", at)
		}
	}
	list := data[api.SessionList](t, w.call("GET", "/api/auth/sessions", first.SessionToken, nil))
	if len(list.Sessions) != 1 || !list.Sessions[0].Current {
		t.Errorf("it sees %d sessions", len(list.Sessions))
	}

	// Its life is that of any session.
	next := data[api.Tokens](t, w.refresh(first.RefreshToken))
	w.want(w.validate(next.SessionToken), 200, "")
	w.want(w.call("POST", "/api/auth/sessions/logout", next.SessionToken, nil), 200, "")
	w.want(w.validate(next.SessionToken), 401, api.SessionInvalid)

	// The turn of the epoch.
	epochs := anonymous.Epochs{}
	w.clock.Advance(epochs.EpochEnd(epochs.Epoch(w.clock.Now())).Sub(w.clock.Now()) + time.Minute)
	w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
	if _, later := ada.signInAnonymously(); later == who {
		t.Error("the pseudonym outlived its epoch")
	}
}

// A session under a pseudonym does not outlive the epoch, whatever its policy
// says.
func TestAnAnonymousSessionEndsWithItsEpoch(t *testing.T) {
	w := newWorld(t, openGroup)
	ada := w.newMember()
	ada.enrol()
	epochs := anonymous.Epochs{}
	turn := epochs.EpochEnd(epochs.Epoch(w.clock.Now()))
	w.clock.Advance(turn.Sub(w.clock.Now()) - 17*time.Minute)
	tokens, _ := ada.signInAnonymously()
	if end := turn.Format(time.RFC3339); tokens.SessionExpiresAt != end || tokens.ExpiresAt != end || tokens.RefreshAt != nil {
		t.Errorf("it ends at %s, its token at %s; the epoch at %s", tokens.SessionExpiresAt, tokens.ExpiresAt, end)
	}
	w.clock.Advance(16 * time.Minute)
	w.want(w.validate(tokens.SessionToken), 200, "")
	w.clock.Advance(time.Minute)
	w.want(w.validate(tokens.SessionToken), 401, api.SessionExpired)
	w.want(w.refresh(tokens.RefreshToken), 401, api.RefreshFailed)
}

// A fresh proof of the same member renews a session; anybody else's does not.
func TestAPseudonymAuthenticatesAnew(t *testing.T) {
	w := newWorld(t, openGroup)
	ada, bob := w.newMember(), w.newMember()
	ada.enrol()
	w.clock.Advance(anonymous.Coarse)
	bob.enrol()
	tokens, _ := ada.signInAnonymously()
	w.clock.Advance(20 * time.Minute)
	stale := w.call("GET", "/api/auth/sessions/validate?max_age=60", tokens.SessionToken, nil)
	w.want(stale, 401, api.ReauthenticationRequired)

	proof := func(m *member) string {
		t.Helper()
		c := data[api.Challenge](t, w.call("POST", "/api/auth/challenge", tokens.SessionToken, api.ChallengeRequest{SessionType: "anonymous", Purpose: "reauthenticate"}))
		text, err := m.credential(c).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	w.want(w.call("POST", "/api/auth/sessions/reauthenticate", tokens.SessionToken, api.ReauthenticateRequest{Credential: proof(bob)}), 401, api.CredentialInvalid)
	signIn, err := ada.credential(w.anonymousChallenge()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.call("POST", "/api/auth/sessions/reauthenticate", tokens.SessionToken, api.ReauthenticateRequest{Credential: signIn}), 401, api.ChallengeInvalid)
	a := w.call("POST", "/api/auth/sessions/reauthenticate", tokens.SessionToken, api.ReauthenticateRequest{Credential: proof(ada)})
	w.want(a, 200, "")
	w.clock.Advance(50 * time.Second)
	w.want(w.call("GET", "/api/auth/sessions/validate?max_age=60", data[api.Tokens](t, a).SessionToken, nil), 200, "")
	w.want(w.validate(tokens.SessionToken), 401, api.SessionExpired)
}

// eventually waits for what the server does by itself.
func (w *world) eventually(done func() bool) {
	w.t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatal("it did not come to pass")
}
