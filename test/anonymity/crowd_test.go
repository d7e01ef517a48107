package anonymity_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

const crowdService = anonymous.ServiceID("sessions.example.org")

// believing is a group that takes commitments and nullifiers at their word. What
// is stored is the same as with proofs, since a proof is dropped once it was
// verified; but three thousand of them would take a quarter of an hour.
type believing struct{ *anonymous.Host }

func (g believing) Open(text string) (session.Presented, error) {
	nonce, nullifier, _ := strings.Cut(text, " ")
	n, err := anonymous.ParseScalar(nullifier)
	return word{g.Host, nonce, n}, err
}

func (g believing) Possession(_ context.Context, _ session.Challenge, commitment string, _ []byte) (session.Commitment, error) {
	c, err := anonymous.ParseCommitment(commitment)
	return c.Bytes(), err
}

type word struct {
	host      *anonymous.Host
	nonce     string
	nullifier fr.Element
}

func (w word) Claim(now time.Time) session.Claim {
	return session.Claim{Nonce: w.nonce, Pseudonym: w.host.Pseudonyms.Pseudonym(crowdService, w.host.Epochs.Epoch(now), w.nullifier)}
}

func (w word) Verify(_ context.Context, _ session.Challenge, now time.Time) (session.Evidence, error) {
	return session.Evidence{Pseudonym: w.Claim(now).Pseudonym, NotAfter: w.host.EpochEnd(now)}, nil
}

// crowd is members of a group, and the service that knows each of them by name
// and by pseudonym without knowing which belongs to which. It lives in a bubble.
type crowd struct {
	*session.Service
	t      *testing.T
	path   string
	store  session.Store
	host   *anonymous.Host
	rng    *rand.Rand
	people []*person
	config session.Config
	log    *strings.Builder
	acting *person // who is doing something right now, for stores that leak it
}

type person struct {
	wallet    *icp.Identity
	secret    *prover.Identity // of those who prove
	nullifier fr.Element       // of those who are believed
	known     session.Tokens   // under their name
	anonymous session.Tokens
	commit    string
}

// leaky is a store that is given more than the service gives it.
type leaky struct {
	session.Store
	leak func(*session.Change)
}

func (s leaky) Apply(ctx context.Context, changes ...session.Change) []error {
	more := slices.Clone(changes)
	for i := range more {
		more[i].Insert = slices.Clone(more[i].Insert)
		s.leak(&more[i])
	}
	return s.Store.Apply(ctx, more...)
}

// newCrowd opens the service over a store that may leak. With proofs nothing is
// taken at its word.
func newCrowd(t *testing.T, rng *rand.Rand, size int, proofs bool, leak func(*crowd, *session.Change)) *crowd {
	t.Helper()
	c := &crowd{t: t, rng: rng, path: filepath.Join(inMemory(t), "s.db"), log: new(strings.Builder)}
	store, err := sqlite.Open(t.Context(), c.path)
	if err != nil {
		t.Fatal(err)
	}
	if c.store = store; leak != nil {
		c.store = leaky{store, func(ch *session.Change) { leak(c, ch) }}
	}
	var seed, key [32]byte
	for i := range seed {
		seed[i], key[i] = byte(rng.Uint32()), byte(rng.Uint32())
	}
	rules := anonymous.DefaultRules()
	rules.MaxWait, rules.MinMembers = 10*time.Minute, min(rules.MinMembers, size)
	if c.host, err = anonymous.NewHost(anonymous.HostConfig{
		Service: crowdService, Rules: rules, Pseudonyms: key, Key: ed25519.NewKeyFromSeed(seed[:]), AtOnce: 1,
	}); err != nil {
		t.Fatal(err)
	}
	c.config = session.Config{
		Store: c.store, Group: believing{c.host}, MasterKey: session.MasterKey(seed), Issuer: "https://sessions.example.org",
		Verifier: wallet.New(wallet.Config{Domain: "sessions.example.org", URI: "https://sessions.example.org/api/auth/sessions", Service: "Example"}, icp.Chain()),
		Log:      slog.New(slog.NewTextHandler(c.log, nil)),
	}
	if proofs {
		c.config.Group = c.host
	}
	c.open()
	for range size {
		p := new(person)
		if p.wallet, err = icp.NewIdentity(); err != nil {
			t.Fatal(err)
		}
		if proofs {
			if p.secret, err = prover.NewIdentity(); err != nil {
				t.Fatal(err)
			}
			p.commit = p.secret.Commitment()
		} else {
			var commitment fr.Element
			p.nullifier.MustSetRandom()
			commitment.MustSetRandom()
			p.commit = anonymous.FormatScalar(commitment)
		}
		c.people = append(c.people, p)
	}
	return c
}

// inMemory returns a folder in memory, where there is one: a crowd waits for a
// thousand durable writes, and nothing of it needs to last.
func inMemory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "crowd")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// open opens the service anew, as a restart does.
func (c *crowd) open() {
	c.t.Helper()
	var err error
	c.Service, err = session.NewService(c.t.Context(), c.config)
	c.must(err)
}

// goBack opens the service over a store in which every session's last step was
// never made.
func (c *crowd) goBack() {
	c.t.Helper()
	db, err := sqlite3.Open(c.path)
	c.must(err)
	c.must(db.Exec("UPDATE sessions SET generation=generation-1, used_gen=0"))
	c.must(db.Close())
	c.store, err = sqlite.Open(c.t.Context(), c.path)
	c.must(err)
	c.config.Store = c.store
	c.open()
}

// run keeps the service going until the function that it returns is called.
func (c *crowd) run() (stop func()) {
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return func() {
		cancel()
		c.must(<-done)
	}
}

// enter has everybody sign in and enrol, until the group is open.
func (c *crowd) enter() {
	c.eachInTurn(4*time.Second, func(p *person) { c.signIn(p); c.pause(time.Second); c.enrol(p) })
	time.Sleep(16 * time.Minute)
}

// live is what the crowd does in about an hour, always in a new order. Everybody
// acts under their name, which is stored with its fine time, and anonymously, all
// within the same five minutes: nothing that is coarse tells two of them apart.
// Close to one another means less than two seconds, the most that a linker can
// hope for; else the two orders have nothing to do with each other.
func (c *crowd) live(close bool) {
	stop := c.run()
	c.enter()
	pause := anonymous.Coarse / time.Duration(3*len(c.people))
	inBucket := func(known, anonymously func(p *person)) {
		intoBucket(0)
		c.eachInTurn(pause, func(p *person) {
			known(p)
			if close {
				c.pause(pause)
				anonymously(p)
			}
		})
		if !close {
			c.eachInTurn(pause, anonymously)
		}
	}
	refresh := func(tokens *session.Tokens) {
		next, err := c.Refresh(c.t.Context(), tokens.RefreshToken, "req_0123456789abcdef")
		c.must(err)
		*tokens = next
	}
	touch := func(tokens *session.Tokens) { c.must(second(c.Touch(c.t.Context(), tokens.SessionToken))) }
	end := func(tokens *session.Tokens) {
		c.must(c.Logout(c.t.Context(), tokens.SessionToken, session.Secret{}, "req_0123456789abcdef"))
	}
	inBucket(func(p *person) { refresh(&p.known) }, func(p *person) { c.openAnonymously(p, 0) })
	inBucket(func(p *person) { touch(&p.known) }, func(p *person) { refresh(&p.anonymous) })
	inBucket(func(p *person) { touch(&p.known) }, func(p *person) { touch(&p.anonymous) })
	inBucket(func(p *person) { end(&p.known) }, func(p *person) {
		if c.rng.IntN(2) == 0 {
			end(&p.anonymous)
		}
	})
	time.Sleep(20 * time.Minute)
	stop()
	c.must(c.store.Close())
}

func second[T any](_ T, err error) error { return err }

func (c *crowd) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *crowd) pause(most time.Duration) { time.Sleep(time.Duration(c.rng.Int64N(int64(most)))) }

func (c *crowd) eachInTurn(pause time.Duration, do func(*person)) {
	for _, i := range c.rng.Perm(len(c.people)) {
		c.acting = c.people[i]
		do(c.acting)
		c.acting = nil
		c.pause(pause)
	}
}

func (c *crowd) signIn(p *person) {
	q, err := c.Challenge(c.t.Context(), session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: p.wallet.Principal()}})
	c.must(err)
	credential, err := p.wallet.Credential(q.Message)
	c.must(err)
	p.known, err = c.Create(c.t.Context(), session.CreateRequest{Credential: credential, Reporting: true, RequestID: "req_0123456789abcdef"})
	c.must(err)
}

func (c *crowd) enrol(p *person) {
	q, err := c.Challenge(c.t.Context(), session.ChallengeRequest{Purpose: session.PurposeEnrol, Type: session.Anonymous, SessionToken: p.known.SessionToken})
	c.must(err)
	r := session.EnrolRequest{Commitment: p.commit, Nonce: q.Nonce}
	if p.secret != nil {
		r.Proof, err = json.Marshal(c.prove(p, semaphore.Path{}, q.Message, q.Scope))
		c.must(err)
	}
	c.must(second(c.Enrol(c.t.Context(), p.known.SessionToken, r)))
}

func (c *crowd) openAnonymously(p *person, life time.Duration) {
	q, err := c.Challenge(c.t.Context(), session.ChallengeRequest{Type: session.Anonymous})
	c.must(err)
	credential := q.Nonce + " " + anonymous.FormatScalar(p.nullifier)
	if p.secret != nil {
		credential = c.proof(p, q)
	}
	p.anonymous, err = c.Create(c.t.Context(), session.CreateRequest{Type: session.Anonymous, Credential: credential, Duration: life, Reporting: true})
	c.must(err)
}

// proof is a credential over the group as it is shown.
func (c *crowd) proof(p *person, q session.Prompt) string {
	group, err := c.host.Group(time.Now())
	c.must(err)
	root, err := anonymous.ParseScalar(group.Root)
	c.must(err)
	roots, err := anonymous.ParseMembers(group.PageRoots)
	c.must(err)
	check, err := anonymous.CheckPages(root, group.Size, roots)
	c.must(err)
	var page struct{ Members []string }
	c.must(json.Unmarshal(c.host.Page(group.PageRoots[0]), &page))
	for place, commitment := range page.Members {
		if commitment != p.commit {
			continue
		}
		members, err := anonymous.ParseMembers(page.Members)
		c.must(err)
		path, err := check.Path(0, place, members)
		c.must(err)
		text, err := anonymous.Credential{Version: 1, Type: anonymous.CredentialType, Challenge: q.Nonce, Proof: c.prove(p, path, q.Message, q.Scope)}.Encode()
		c.must(err)
		return text
	}
	c.t.Fatal("the group does not have the member")
	return ""
}

func (c *crowd) prove(p *person, path semaphore.Path, message, scope string) anonymous.Proof {
	proof, err := theProver.Prove(p.secret, path, message, scope)
	c.must(err)
	return proof
}

// theProver is closed by TestMain.
var theProver sessiontest.Prover

func TestMain(m *testing.M) {
	code := m.Run()
	if err := theProver.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
