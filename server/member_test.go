package server_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

// service is what the tests' members know of their service by themselves.
const service = anonymous.ServiceID("sessions.example.org")

// theProver is closed by TestMain.
var theProver sessiontest.Prover

// openGroup lets the first member in at once, and alone.
func openGroup(c *server.Config) {
	one, none := 1, time.Duration(0)
	c.Anonymous.MinBatch, c.Anonymous.MinMembers, c.Anonymous.MaxWait = &one, &one, &none
}

// member is somebody with an identity of their own making.
type member struct {
	w      *world
	secret *prover.Identity
	wallet *icp.Identity
	token  string // of a standard session
}

func (w *world) newMember() *member {
	w.t.Helper()
	secret, err := prover.NewIdentity()
	if err != nil {
		w.t.Fatal(err)
	}
	m := &member{w: w, secret: secret, wallet: w.newPerson()}
	a := w.call("POST", "/api/auth/sessions", w.credential(m.wallet), api.CreateRequest{Activity: "reported"})
	m.token = data[api.Tokens](w.t, a).SessionToken
	return m
}

// enrolment is a proof of possession for a fresh challenge.
func (m *member) enrolment() api.EnrolRequest {
	m.w.t.Helper()
	c := data[api.Challenge](m.w.t, m.w.call("POST", "/api/auth/challenge", m.token, api.ChallengeRequest{SessionType: "anonymous", Purpose: "enrol"}))
	if err := anonymous.CheckEnrolment(service, anonymous.Challenge{Nonce: c.Nonce, Message: c.Message, Scope: c.Scope}); err != nil || c.Epoch != nil {
		m.w.t.Fatalf("the challenge asks for something else: %+v, %v", c, err)
	}
	proof := m.prove(semaphore.Path{}, c.Message, c.Scope)
	return api.EnrolRequest{Commitment: m.secret.Commitment(), Challenge: c.Nonce, Proof: mustJSON(m.w.t, proof)}
}

func (m *member) enrol() api.Membership {
	m.w.t.Helper()
	return data[api.Membership](m.w.t, m.w.call("POST", "/api/auth/anonymous/members", m.token, m.enrolment()))
}

// enters enrols, and waits until the member is in the group: the answer says so,
// unless the server was just looking for who waits.
func (m *member) enters(e api.EnrolRequest) {
	m.w.t.Helper()
	got := data[api.Membership](m.w.t, m.w.call("POST", "/api/auth/anonymous/members", m.token, e))
	switch got.Status {
	case "member":
	case "waiting":
		commitment := number(m.secret.Commitment()).FillBytes(make([]byte, 32))
		m.w.eventually(func() bool {
			for _, tb := range dump(m.w.t, filepath.Join(m.w.data, "sessions.db")) {
				if tb.name == "places" {
					return slices.ContainsFunc(tb.rows, func(row []any) bool { return bytes.Equal(row[1].([]byte), commitment) })
				}
			}
			return false
		})
	default:
		m.w.t.Fatalf("enrolled: %+v", got)
	}
}

// prove proves membership by a path; the empty path's group is the member alone.
func (m *member) prove(path semaphore.Path, message, scope string) anonymous.Proof {
	m.w.t.Helper()
	proof, err := theProver.Prove(m.secret, path, message, scope)
	if err != nil {
		m.w.t.Fatal(err)
	}
	return proof
}

func number(decimal string) *big.Int {
	n, _ := new(big.Int).SetString(decimal, 10)
	return n
}

func mustJSON(t testing.TB, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// anonymousChallenge asks as nobody.
func (w *world) anonymousChallenge() api.Challenge {
	w.t.Helper()
	return data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{SessionType: "anonymous"}))
}

// theGroup downloads the whole group and checks it, as every client does.
func (w *world) theGroup() (api.Group, *anonymous.PageCheck, [][]string) {
	w.t.Helper()
	g := data[api.Group](w.t, w.call("GET", "/api/auth/anonymous/group", "", nil))
	root, err := anonymous.ParseScalar(g.Root)
	if err != nil {
		w.t.Fatal(err)
	}
	roots, err := anonymous.ParseMembers(g.PageRoots)
	if err != nil {
		w.t.Fatal(err)
	}
	check, err := anonymous.CheckPages(root, g.Size, roots)
	if err != nil {
		w.t.Fatal(err)
	}
	var pages [][]string
	for _, r := range g.PageRoots {
		pages = append(pages, data[api.Page](w.t, w.call("GET", "/api/auth/anonymous/pages/"+r, "", nil)).Members)
	}
	return g, check, pages
}

// credential proves membership for a challenge.
func (m *member) credential(c api.Challenge) anonymous.Credential {
	m.w.t.Helper()
	own := anonymous.Challenge{Nonce: c.Nonce, Epoch: *c.Epoch, Message: c.Message, Scope: c.Scope}
	if err := anonymous.CheckChallenge(service, anonymous.Epochs{}, own, m.w.clock.Now()); err != nil {
		m.w.t.Fatal(err)
	}
	_, check, pages := m.w.theGroup()
	for i, page := range pages {
		for place, commitment := range page {
			if commitment != m.secret.Commitment() {
				continue
			}
			members, err := anonymous.ParseMembers(page)
			if err != nil {
				m.w.t.Fatal(err)
			}
			path, err := check.Path(i, place, members)
			if err != nil {
				m.w.t.Fatal(err)
			}
			return anonymous.Credential{Version: 1, Type: anonymous.CredentialType, Challenge: c.Nonce, Proof: m.prove(path, c.Message, c.Scope)}
		}
	}
	m.w.t.Fatal("the group does not have the member")
	return anonymous.Credential{}
}

// create opens an anonymous session with a credential.
func (w *world) create(c anonymous.Credential) answer {
	w.t.Helper()
	text, err := c.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.call("POST", "/api/auth/sessions", text, api.CreateRequest{SessionType: "anonymous", Activity: "reported"})
}

// signInAnonymously opens a session, and returns it with its pseudonym.
func (m *member) signInAnonymously() (api.Tokens, string) {
	m.w.t.Helper()
	a := m.w.create(m.credential(m.w.anonymousChallenge()))
	if a.Status != http.StatusCreated {
		m.w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	tokens := data[api.Tokens](m.w.t, a)
	return tokens, data[api.Validation](m.w.t, m.w.validate(tokens.SessionToken)).AnonymousID
}
