package anonymous

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	session "github.com/mentalverse/session"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// made is what @semaphore-protocol 4.14.3 proved for our values: one of three
// members enrols and signs in.
type made struct {
	Service   ServiceID
	Nonce     string
	Epoch     uint64
	Members   []string
	Member    int
	Enrolment Proof
	SignIn    Proof
}

func readMade(t testing.TB) (m made) {
	t.Helper()
	b, err := os.ReadFile("testdata/proofs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMemberEnrolsAndSignsIn(t *testing.T) {
	m := readMade(t)
	v := verifier(t)
	commitment, err := v.VerifyEnrolment(t.Context(), m.Service, m.Nonce, m.Members[m.Member], m.Enrolment)
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGroup(scalars(t, m.Members)...)
	if err != nil || !g.Has(commitment) {
		t.Fatal(err)
	}
	first := (*Snapshot)(nil).Next(m.Service, g.Tree(), Epochs{}, start)
	w := Window{first}
	accepts := func(root fr.Element) bool { return w.Accepts(root, m.Epoch, start) }
	nullifier, err := v.VerifySignIn(t.Context(), m.Service, m.Nonce, m.Epoch, m.SignIn, accepts)
	if err != nil {
		t.Fatal(err)
	}
	if FormatScalar(nullifier) == m.Enrolment.Nullifier {
		t.Error("what was shown at enrolment comes again at sign-in")
	}
	for name, err := range map[string]error{
		"another epoch":             errOf(v.VerifySignIn(t.Context(), m.Service, m.Nonce, m.Epoch+1, m.SignIn, accepts)),
		"another service":           errOf(v.VerifySignIn(t.Context(), "x", m.Nonce, m.Epoch, m.SignIn, accepts)),
		"another challenge":         errOf(v.VerifySignIn(t.Context(), m.Service, "other", m.Epoch, m.SignIn, accepts)),
		"the proof of enrolment":    errOf(v.VerifySignIn(t.Context(), m.Service, m.Nonce, m.Epoch, m.Enrolment, accepts)),
		"a group that is not there": errOf(v.VerifySignIn(t.Context(), m.Service, m.Nonce, m.Epoch, m.SignIn, func(r fr.Element) bool { return (Window)(nil).Accepts(r, m.Epoch, start) })),
	} {
		if session.CodeOf(err) != session.CodeCredentialInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyWhoHoldsACommitmentsSecretEnrolsIt(t *testing.T) {
	m := readMade(t)
	v := verifier(t)
	mine := m.Members[m.Member]
	for name, try := range map[string]struct {
		nonce, commitment string
		proof             Proof
		want              error
	}{
		"another's commitment":      {m.Nonce, m.Members[0], m.Enrolment, ErrRoot},
		"a proof of another group":  {m.Nonce, mine, m.SignIn, ErrScope},
		"another challenge":         {"other", mine, m.Enrolment, ErrMessage},
		"zero":                      {m.Nonce, "0", m.Enrolment, ErrZero},
		"a leading zero":            {m.Nonce, "0" + mine, m.Enrolment, semaphore.ErrNumber},
		"an alias":                  {m.Nonce, plus(t, mine, fr.Modulus()), m.Enrolment, semaphore.ErrRange},
		"the order":                 {m.Nonce, fr.Modulus().String(), m.Enrolment, semaphore.ErrRange},
		"no commitment":             {m.Nonce, "", m.Enrolment, semaphore.ErrNumber},
		"another's, claimed as own": {m.Nonce, m.Members[0], func() Proof { p := m.Enrolment; p.MerkleTreeRoot = m.Members[0]; return p }(), ErrProof},
	} {
		_, err := v.VerifyEnrolment(t.Context(), m.Service, try.nonce, try.commitment, try.proof)
		if !errors.Is(err, try.want) || session.CodeOf(err) != session.CodeCredentialInvalid {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
}

func TestTheProversOwnChallengeIsTheirs(t *testing.T) {
	m := readMade(t)
	c := m.Service.NewChallenge(m.Nonce, m.Epoch)
	if err := CheckChallenge(m.Service, Epochs{}, c, start); err != nil || c.Message != m.SignIn.Message || c.Scope != m.SignIn.Scope {
		t.Errorf("%v", err)
	}
	e := m.Service.NewEnrolment(m.Nonce)
	if err := CheckEnrolment(m.Service, e); err != nil || e.Message != m.Enrolment.Message || e.Scope != m.Enrolment.Scope {
		t.Errorf("%v", err)
	}
}

func TestNoMoreProofsThanPlacesAreCheckedAtOnce(t *testing.T) {
	m := readMade(t)
	accepts := func(fr.Element) bool { return true }
	v := verifier(t) // of two places
	synctest.Test(t, func(t *testing.T) {
		v := &Verifier{key: v.key, slots: make(chan struct{}, 2)}
		var releases []func()
		for range 2 {
			release, err := v.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		verify := func(ctx context.Context, p Proof) error {
			return errOf(v.VerifySignIn(ctx, m.Service, m.Nonce, m.Epoch, p, accepts))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := verify(ctx, m.SignIn); session.CodeOf(err) != session.CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want unavailable", err)
		}
		// What needs no place is told without one.
		wrong := m.SignIn
		wrong.Points[0] = "1"
		if err := verify(t.Context(), wrong); !errors.Is(err, ErrCurve) {
			t.Errorf("%v, want ErrCurve", err)
		}
		done := make(chan error, 1)
		go func() { done <- verify(t.Context(), m.SignIn) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("a third one had a place: %v", err)
		default:
		}
		releases[0]()
		if err := <-done; err != nil {
			t.Error(err)
		}
		releases[1]()
		cancelled, stop := context.WithCancel(t.Context())
		stop()
		if err := verify(cancelled, m.SignIn); session.CodeOf(err) != session.CodeUnavailable {
			t.Errorf("%v, want unavailable", err)
		}
		if len(v.slots) != 0 {
			t.Error("a place was not given back")
		}
	})
}

func TestAVerifierOfNoPlacesHasOne(t *testing.T) {
	m := readMade(t)
	v, err := NewVerifier(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // ends a wait for a place that never comes
	defer cancel()
	for range 3 {
		if _, err := v.VerifyEnrolment(ctx, m.Service, m.Nonce, m.Members[m.Member], m.Enrolment); err != nil {
			t.Error(err)
		}
	}
}

func TestACredentialsTextIsStrict(t *testing.T) {
	m := readMade(t)
	c := Credential{1, CredentialType, m.Nonce, m.SignIn}
	good, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseCredential(good); err != nil || back != c {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Credential){
		"version":      func(c *Credential) { c.Version = 2 },
		"type":         func(c *Credential) { c.Type = "semaphore:v3" },
		"no challenge": func(c *Credential) { c.Challenge = "" },
		"odd nonce":    func(c *Credential) { c.Challenge = "a b" },
		"very long":    func(c *Credential) { c.Proof.Points[0] = strings.Repeat("1", maxCredential) },
	} {
		other := c
		change(&other)
		text, err := other.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseCredential(text); !errors.Is(err, ErrCredential) {
			t.Errorf("%s: %v, want ErrCredential", name, err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "padded": good + "=", "line break": good[:8] + "\n" + good[8:], "standard": "+/+/", "cut": good[:len(good)-4], "slack": "e31",
		"more": good + "MQ",
	} {
		if _, err := ParseCredential(text); !errors.Is(err, ErrCredential) {
			t.Errorf("%s: %v, want ErrCredential", name, err)
		}
	}
}
