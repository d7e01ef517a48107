package server_test

import (
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

func add(decimal string, n *big.Int) string { return new(big.Int).Add(number(decimal), n).String() }

// Every way of showing a proof that proves nothing, or somebody else twice. None
// of them uses up the challenge of the genuine one.
func TestProofsThatAreRefused(t *testing.T) {
	w := newWorld(t, openGroup)
	ada := w.newMember()
	ada.enrol()
	challenge := w.anonymousChallenge()
	good := ada.credential(challenge)
	another := w.anonymousChallenge()

	r, p := fr.Modulus(), fp.Modulus()
	for name, spoil := range map[string]func(*anonymous.Credential){
		"an aliased nullifier": func(c *anonymous.Credential) { c.Proof.Nullifier = add(c.Proof.Nullifier, r) },
		"the nullifier's negative": func(c *anonymous.Credential) {
			c.Proof.Nullifier = new(big.Int).Sub(number(c.Proof.Nullifier), r).String()
		},
		"another nullifier":         func(c *anonymous.Credential) { c.Proof.Nullifier = add(c.Proof.Nullifier, big.NewInt(1)) },
		"an aliased root":           func(c *anonymous.Credential) { c.Proof.MerkleTreeRoot = add(c.Proof.MerkleTreeRoot, r) },
		"an unknown snapshot":       func(c *anonymous.Credential) { c.Proof.MerkleTreeRoot = "7" },
		"root zero":                 func(c *anonymous.Credential) { c.Proof.MerkleTreeRoot = "0" },
		"another depth":             func(c *anonymous.Credential) { c.Proof.MerkleTreeDepth = 19 },
		"no depth":                  func(c *anonymous.Credential) { c.Proof.MerkleTreeDepth = 0 },
		"a foreign scope":           func(c *anonymous.Credential) { c.Proof.Scope = add(c.Proof.Scope, big.NewInt(1)) },
		"another epoch's scope":     func(c *anonymous.Credential) { c.Proof.Scope = service.NewChallenge("n", *challenge.Epoch+1).Scope },
		"another message":           func(c *anonymous.Credential) { c.Proof.Message = another.Message },
		"another challenge":         func(c *anonymous.Credential) { c.Challenge = another.Nonce },
		"a coordinate out of range": func(c *anonymous.Credential) { c.Proof.Points[0] = add(c.Proof.Points[0], p) },
		"a point off the curve":     func(c *anonymous.Credential) { c.Proof.Points[0] = add(c.Proof.Points[0], big.NewInt(1)) },
		"a point at infinity":       func(c *anonymous.Credential) { c.Proof.Points[0], c.Proof.Points[1] = "0", "0" },
		"a point of another group":  func(c *anonymous.Credential) { outside(c.Proof.Points[2:6]) },
		"swapped halves":            func(c *anonymous.Credential) { q := &c.Proof.Points; q[2], q[3], q[4], q[5] = q[3], q[2], q[5], q[4] },
		"the negative of a point": func(c *anonymous.Credential) {
			c.Proof.Points[1] = new(big.Int).Sub(p, number(c.Proof.Points[1])).String()
		},
		"a leading zero":               func(c *anonymous.Credential) { c.Proof.Nullifier = "0" + c.Proof.Nullifier },
		"hex":                          func(c *anonymous.Credential) { c.Proof.Nullifier = "0x" + number(c.Proof.Nullifier).Text(16) },
		"a coordinate with a space":    func(c *anonymous.Credential) { c.Proof.Points[7] += " " },
		"a number of a million digits": func(c *anonymous.Credential) { c.Proof.Nullifier = strings.Repeat("9", 2000) },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			c := good
			spoil(&c)
			a := w.create(c)
			if a.Status != http.StatusUnauthorized || a.code() != api.CredentialInvalid && a.code() != api.ChallengeInvalid {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	w.t = t
	w.want(w.create(good), 201, "")
}

// outside replaces a point of G2's curve by one that is not in the subgroup.
func outside(points []string) {
	var b bn254.G2Affine
	for x := uint64(1); ; x++ {
		b.X.A0.SetUint64(x)
		b.X.A1.SetZero()
		y := b.X
		y.Square(&y).Mul(&y, &b.X)
		var three, nine bn254.E2
		three.A0.SetUint64(3)
		nine.A0.SetUint64(9)
		nine.A1.SetOne()
		nine.Inverse(&nine)
		three.Mul(&three, &nine)
		y.Add(&y, &three)
		if y.Legendre() != 1 {
			continue
		}
		b.Y.Sqrt(&y)
		if b.IsOnCurve() && !b.IsInSubGroup() {
			break
		}
	}
	for i, e := range []*fp.Element{&b.X.A1, &b.X.A0, &b.Y.A1, &b.Y.A0} {
		points[i] = e.BigInt(new(big.Int)).String()
	}
}

// rerandomised is another proof of the same, which anyone can make of it.
func rerandomised(t *testing.T, c anonymous.Credential) anonymous.Credential {
	t.Helper()
	var a bn254.G1Affine
	var b bn254.G2Affine
	for i, e := range []*fp.Element{&a.X, &a.Y, &b.X.A1, &b.X.A0, &b.Y.A1, &b.Y.A0} {
		e.SetBigInt(number(c.Proof.Points[i]))
	}
	k, order := big.NewInt(7), fr.Modulus()
	a.ScalarMultiplication(&a, new(big.Int).ModInverse(k, order))
	b.ScalarMultiplication(&b, k)
	for i, e := range []*fp.Element{&a.X, &a.Y, &b.X.A1, &b.X.A0, &b.Y.A1, &b.Y.A0} {
		c.Proof.Points[i] = e.BigInt(new(big.Int)).String()
	}
	return c
}

// A proof opens one session, whatever is made of it afterwards.
func TestAProofCountsOnce(t *testing.T) {
	w := newWorld(t, openGroup)
	ada := w.newMember()
	ada.enrol()

	first := ada.credential(w.anonymousChallenge())
	other := rerandomised(t, first)
	if first.Proof.Points == other.Proof.Points {
		t.Fatal("it is the same proof")
	}
	w.want(w.create(other), 201, "") // as good as the first
	w.want(w.create(first), 401, api.ChallengeInvalid)
	w.want(w.create(other), 401, api.ChallengeInvalid)

	second := ada.credential(w.anonymousChallenge())
	var wg sync.WaitGroup
	var mu sync.Mutex
	opened := 0
	text, err := second.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		wg.Go(func() {
			req, _ := http.NewRequest("POST", w.url+"/api/auth/sessions", strings.NewReader(`{"session_type":"anonymous"}`))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+text)
			a, err := w.try(req)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || a.Status != 201 && a.code() != api.ChallengeInvalid {
				t.Errorf("%d %s, %v", a.Status, a.Body, err)
			}
			if a.Status == 201 {
				opened++
			}
		})
	}
	wg.Wait()
	if opened != 1 {
		t.Errorf("eight uses at once opened %d sessions", opened)
	}
}

// A challenge and its proof are for one purpose, one service, one epoch.
func TestAProofIsForOnePlace(t *testing.T) {
	w := newWorld(t, openGroup)
	ada := w.newMember()
	enrolment := ada.enrolment()

	c := w.call("POST", "/api/auth/anonymous/members", ada.token, enrolment)
	w.want(c, 200, "")
	w.want(w.call("POST", "/api/auth/anonymous/members", ada.token, enrolment), 401, api.ChallengeInvalid) // used

	t.Run("an enrolment's challenge signs nobody in", func(t *testing.T) {
		e := data[api.Challenge](t, w.call("POST", "/api/auth/challenge", ada.token, api.ChallengeRequest{SessionType: "anonymous", Purpose: "enrol"}))
		proof := ada.prove(semaphore.Path{}, e.Message, e.Scope)
		w.want(w.create(anonymous.Credential{Version: 1, Type: anonymous.CredentialType, Challenge: e.Nonce, Proof: proof}), 401, api.ChallengeInvalid)
	})
	t.Run("a sign-in's challenge enrols nobody", func(t *testing.T) {
		s := w.anonymousChallenge()
		proof := ada.prove(semaphore.Path{}, s.Message, s.Scope)
		w.want(w.call("POST", "/api/auth/anonymous/members", ada.token, api.EnrolRequest{Commitment: ada.secret.Commitment(), Challenge: s.Nonce, Proof: mustJSON(t, proof)}), 401, api.ChallengeInvalid)
	})
	t.Run("somebody else's session enrols nobody with it", func(t *testing.T) {
		bob := w.newMember()
		w.want(w.call("POST", "/api/auth/anonymous/members", bob.token, ada.enrolment()), 401, api.ChallengeInvalid)
	})
	t.Run("nobody enrols what is another's", func(t *testing.T) {
		bob := w.newMember()
		bob.secret = ada.secret
		w.want(w.call("POST", "/api/auth/anonymous/members", bob.token, bob.enrolment()), 400, api.InvalidRequest)
	})
	t.Run("nobody enrols what they do not hold", func(t *testing.T) {
		bob := w.newMember()
		stolen := bob.enrolment()
		stolen.Commitment = ada.secret.Commitment()
		w.want(w.call("POST", "/api/auth/anonymous/members", bob.token, stolen), 401, api.CredentialInvalid)
	})
	t.Run("a wallet's credential opens no anonymous session, and the other way round", func(t *testing.T) {
		w.want(w.call("POST", "/api/auth/sessions", w.credential(w.person), api.CreateRequest{SessionType: "anonymous"}), 401, api.CredentialInvalid)
		text, _ := ada.credential(w.anonymousChallenge()).Encode()
		w.want(w.call("POST", "/api/auth/sessions", text, api.CreateRequest{}), 401, api.CredentialInvalid)
	})
	t.Run("another service's proof", func(t *testing.T) {
		s := w.anonymousChallenge()
		there := anonymous.ServiceID("elsewhere.example.org").NewChallenge(s.Nonce, *s.Epoch)
		proof := ada.prove(semaphore.Path{}, there.Message, there.Scope)
		w.want(w.create(anonymous.Credential{Version: 1, Type: anonymous.CredentialType, Challenge: s.Nonce, Proof: proof}), 401, api.CredentialInvalid)
	})
	t.Run("a challenge of the epoch before", func(t *testing.T) {
		epochs := anonymous.Epochs{}
		turn := epochs.EpochEnd(epochs.Epoch(w.clock.Now()))
		w.clock.Advance(turn.Sub(w.clock.Now()) - time.Minute)
		w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
		late := ada.credential(w.anonymousChallenge())
		w.clock.Advance(2 * time.Minute)
		w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
		w.want(w.create(late), 401, api.ChallengeInvalid)
	})
}

// Snapshots are accepted for an hour after a newer one came.
func TestAnOldSnapshotIsRefused(t *testing.T) {
	w := newWorld(t, openGroup)
	ada, bob := w.newMember(), w.newMember()
	ada.enrol()
	old := ada.credential(w.anonymousChallenge())
	w.clock.Advance(anonymous.Coarse)
	bob.enrol()

	fresh := func(c anonymous.Credential) anonymous.Credential { // over the old group, for a new challenge
		s := w.anonymousChallenge()
		proof := ada.prove(semaphore.Path{}, s.Message, s.Scope)
		if proof.MerkleTreeRoot != c.Proof.MerkleTreeRoot {
			t.Fatal("the first group had other members")
		}
		return anonymous.Credential{Version: 1, Type: anonymous.CredentialType, Challenge: s.Nonce, Proof: proof}
	}
	w.clock.Advance(time.Hour - time.Minute)
	w.want(w.create(fresh(old)), 201, "")
	w.clock.Advance(anonymous.Coarse + time.Minute)
	w.want(w.create(fresh(old)), 401, api.CredentialInvalid)
}

// A group that cannot hide anybody opens to nobody, and says so.
func TestASmallGroupIsClosed(t *testing.T) {
	two := 2
	w := newWorld(t, openGroup, func(c *server.Config) { c.Anonymous.MinMembers = &two })
	ada := w.newMember()
	ada.enrol()
	for _, a := range []answer{
		w.call("GET", "/api/auth/anonymous/group", "", nil),
		w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{SessionType: "anonymous"}),
		w.call("POST", "/api/auth/sessions", "AAAA", api.CreateRequest{SessionType: "anonymous"}),
	} {
		w.want(a, 503, api.Unavailable)
		if !strings.Contains(string(a.Body), "opens with 2 members") {
			t.Errorf("it does not say why: %s", a.Body)
		}
	}
	if strings.Contains(w.log.String(), `"level":"ERROR"`) {
		t.Error("the operator is alarmed by what they set up")
	}
	w.clock.Advance(anonymous.Coarse)
	w.newMember().enrol()
	ada.signInAnonymously()
}

// A pseudonym that is blocked ends at once and stays out until the epoch is
// over; everyone else stays.
func TestAPseudonymIsBlocked(t *testing.T) {
	w := newWorld(t, openGroup)
	ada, bob := w.newMember(), w.newMember()
	ada.enrol()
	w.clock.Advance(anonymous.Coarse)
	bob.enrol()
	tokens, who := ada.signInAnonymously()
	others, _ := bob.signInAnonymously()

	w.want(w.operator("POST", "/operator/v1/subjects/"+who+"/block", "", `{"reason":"abuse, report 7"}`), 401, api.CredentialInvalid)
	w.want(w.operator("POST", "/operator/v1/subjects/"+who+"/block", "op_wrong", `{"reason":"abuse, report 7"}`), 401, api.CredentialInvalid)
	key := w.operatorKey()
	w.want(w.operator("POST", "/operator/v1/subjects/"+who+"/block", key, `{"reason":"\u0007\u0007\u0007\u0007"}`), 400, api.InvalidRequest)
	w.want(w.operator("POST", "/operator/v1/subjects/user_x/block", key, `{"reason":"abuse"}`), 404, api.NotFound)
	w.want(w.operator("POST", "/operator/v1/subjects/"+who+"/block", key, `{"reason":"abuse, report 7"}`), 200, "")

	w.want(w.validate(tokens.SessionToken), 401, api.SessionInvalid)
	w.want(w.refresh(tokens.RefreshToken), 401, api.RefreshFailed)
	w.want(w.validate(others.SessionToken), 200, "")
	w.want(w.create(ada.credential(w.anonymousChallenge())), 403, api.PermissionDenied)

	w.want(w.operator("DELETE", "/operator/v1/subjects/"+who+"/block", key, `{"reason":"a mistake"}`), 200, "")
	if _, again := ada.signInAnonymously(); again != who {
		t.Error("it came back as somebody else")
	}
	w.want(w.operator("POST", "/operator/v1/subjects/"+who+"/block", key, `{"reason":"not a mistake"}`), 200, "")
	epochs := anonymous.Epochs{}
	w.clock.Advance(epochs.EpochEnd(epochs.Epoch(w.clock.Now())).Sub(w.clock.Now()))
	w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
	ada.signInAnonymously()
}

func (w *world) operator(method, path, key, body string) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.operators()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return w.do(req)
}

func (w *world) operatorKey() string {
	w.t.Helper()
	c := server.DefaultConfig()
	c.Data, c.PublicURL = w.data, origin
	key, err := server.OperatorKey(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// Sign-ins of one pseudonym are counted before their proofs are looked at; the
// oldest of more than three sessions ends.
func TestAPseudonymHasLimits(t *testing.T) {
	w := newWorld(t, openGroup, func(c *server.Config) {
		on := true
		c.Limits.Enabled, c.Limits.AddressPerMinute, c.Limits.PseudonymPerMinute = &on, 10_000, 5
	})
	ada, bob := w.newMember(), w.newMember()
	ada.enrol()
	w.clock.Advance(anonymous.Coarse)
	bob.enrol()

	var all []api.Tokens
	for range 4 {
		tokens, _ := ada.signInAnonymously()
		all = append(all, tokens)
	}
	w.want(w.validate(all[0].SessionToken), 401, api.SessionInvalid)
	for _, s := range all[1:] {
		w.want(w.validate(s.SessionToken), 200, "")
	}

	c := ada.credential(w.anonymousChallenge())
	c.Proof.Points[0] = add(c.Proof.Points[0], big.NewInt(1)) // it proves nothing, and is counted
	w.want(w.create(c), 401, api.CredentialInvalid)
	a := w.create(c)
	w.want(a, 429, api.RateLimited)
	if !strings.HasPrefix(a.Header.Get("RateLimit"), `"pseudonym"`) {
		t.Errorf("counted by %s", a.Header.Get("RateLimit"))
	}
	bob.signInAnonymously()
}

// Leaving and replacing take effect at the turn, so that nobody has two
// pseudonyms in one epoch.
func TestAMemberReplacesTheirCommitment(t *testing.T) {
	w := newWorld(t, openGroup)
	ada, bob := w.newMember(), w.newMember()
	ada.enrol()
	w.clock.Advance(anonymous.Coarse)
	bob.enrol()

	lost := *ada
	var err error
	if ada.secret, err = prover.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	if got := ada.enrol(); got.Status != "replacing" {
		t.Fatalf("replaced: %+v", got)
	}
	lost.signInAnonymously() // until the epoch is over
	if got := data[api.Membership](t, w.call("DELETE", "/api/auth/anonymous/members", bob.token, nil)); got.Status != "leaving" {
		t.Fatalf("left: %+v", got)
	}
	bob.signInAnonymously()

	epochs := anonymous.Epochs{}
	w.clock.Advance(epochs.EpochEnd(epochs.Epoch(w.clock.Now())).Sub(w.clock.Now()))
	w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
	ada.signInAnonymously()
	g, _, pages := w.theGroup()
	if g.Size != 3 || g.Members != 1 || fmt.Sprint(pages[0][:2]) != "[0 0]" {
		t.Errorf("%d members in %d places: %v", g.Members, g.Size, pages)
	}
	w.stop()
	w.serve(openGroup) // and what was stored is the same group
	w.eventually(func() bool { return w.call("GET", "/api/auth/anonymous/group", "", nil).Status == 200 })
	if again, _, _ := w.theGroup(); again.Root != g.Root {
		t.Error("after a restart it is another group")
	}
}

// A person who is known and a pseudonym do not meet in one request.
func TestAnonymousCallsCarryNobody(t *testing.T) {
	w := newWorld(t, openGroup)
	ada := w.newMember()
	ada.enrol()
	text, err := ada.credential(w.anonymousChallenge()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	g, _, _ := w.theGroup()
	for name, call := range map[string][3]string{
		"challenge": {"POST", "/api/auth/challenge", `{"session_type":"anonymous"}`},
		"create":    {"POST", "/api/auth/sessions", `{"session_type":"anonymous","credential":"` + text + `"}`},
		"group":     {"GET", "/api/auth/anonymous/group", ""},
		"page":      {"GET", "/api/auth/anonymous/pages/" + g.PageRoots[0], ""},
		"roots":     {"GET", "/api/auth/anonymous/roots", ""},
		"artifact":  {"GET", "/api/auth/anonymous/artifacts/00", ""},
	} {
		for with, header := range map[string][2]string{
			"a session's cookie":    {"Cookie", "__Host-s=" + ada.token},
			"a stale cookie":        {"Cookie", "__Host-s=x"},
			"a refresh cookie":      {"Cookie", "a=b; __Host-r=rt_x"},
			"a session in a header": {"Authorization", "Bearer " + ada.token},
		} {
			if name == "create" && header[0] == "Authorization" {
				continue // there it would be a second credential
			}
			t.Run(name+" with "+with, func(t *testing.T) {
				req, _ := http.NewRequest(call[0], w.url+call[1], strings.NewReader(call[2]))
				if call[2] != "" {
					req.Header.Set("Content-Type", "application/json")
				}
				req.Header.Set("Sec-Fetch-Site", "same-origin")
				req.Header.Set(header[0], header[1])
				a := w.do(req)
				if a.Status != 400 && a.Status != 403 {
					t.Errorf("%d %s", a.Status, a.Body)
				}
			})
		}
	}
	w.want(w.call("POST", "/api/auth/sessions", text, api.CreateRequest{SessionType: "anonymous", Transport: "cookie"}), 400, api.InvalidRequest)
	w.want(w.call("POST", "/api/auth/sessions", text, api.CreateRequest{SessionType: "anonymous", DeviceLabel: "Firefox"}), 400, api.InvalidRequest)
	w.want(w.call("POST", "/api/auth/sessions", text, api.CreateRequest{SessionType: "anonymous"}), 201, "")
}
