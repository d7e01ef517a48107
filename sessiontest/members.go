package sessiontest

import (
	"crypto/ed25519"
	"slices"
	"sync"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
)

// Members is the anonymous half of a service, in memory: what clients are
// tried against. It is honest; a test makes it lie by changing its answers, or
// by what grows out of a [Members.Fork]. It knows no users: any bearer is
// somebody's standard session. Commitments enter when Publish says so.
type Members struct {
	Service anonymous.ServiceID
	Epochs  anonymous.Epochs // of DefaultEpoch
	Key     ed25519.PrivateKey
	Now     func() time.Time

	mu       sync.Mutex
	verifier *anonymous.Verifier
	group    *anonymous.Group
	waiting  []fr.Element
	chain    []anonymous.SignedSnapshot
	pages    map[string][]fr.Element
	roots    []string          // of the newest snapshot's pages
	nonces   map[string]uint64 // to their epochs
}

// NewMembers returns a service without members.
func NewMembers(service anonymous.ServiceID, now func() time.Time) *Members {
	_, key, err := ed25519.GenerateKey(nil)
	must(err)
	m := &Members{Service: service, Key: key, Now: now}
	m.verifier, err = anonymous.NewVerifier(2)
	must(err)
	m.group, err = anonymous.NewGroup()
	must(err)
	m.pages, m.nonces = map[string][]fr.Element{}, map[string]uint64{}
	return m
}

// Fork returns a service with the same key and the same past, whose group goes on
// by itself.
func (m *Members) Fork() *Members {
	f := NewMembers(m.Service, m.Now)
	f.Epochs, f.Key = m.Epochs, m.Key
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.group.Tree().Size() {
		must(f.group.Add(m.group.Tree().Leaf(i)))
	}
	f.waiting, f.chain = slices.Clone(m.waiting), slices.Clone(m.chain)
	f.keepPages()
	return f
}

// Enrol lets commitments wait, as if they had been proven.
func (m *Members) Enrol(commitments ...fr.Element) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, commitments...)
}

// Strangers enrols n others.
func (m *Members) Strangers(n int) {
	others := make([]fr.Element, n)
	for i := range others {
		others[i].MustSetRandom()
	}
	m.Enrol(others...)
}

// Publish lets those who wait enter the group and appends a snapshot.
func (m *Members) Publish() anonymous.SignedSnapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	must(m.group.Add(m.waiting...))
	m.waiting = nil
	var last *anonymous.Snapshot
	if n := len(m.chain); n > 0 {
		last = &m.chain[n-1].Snapshot
	}
	signed, err := last.Next(m.Service, m.group.Tree(), m.Epochs, m.Now()).Sign(m.Service, m.Key)
	must(err)
	m.chain = append(m.chain, signed)
	m.keepPages()
	return signed
}

func (m *Members) keepPages() {
	m.roots = nil
	for i, root := range m.group.Tree().PageRoots() {
		page, err := m.group.Tree().Page(i)
		must(err)
		m.roots = append(m.roots, anonymous.FormatScalar(root))
		m.pages[m.roots[i]] = slices.Clone(page)
	}
}

func must(err error) {
	if err != nil {
		panic(err) // the fake itself is broken
	}
}
