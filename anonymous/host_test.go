package anonymous

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
)

// shelf is the stored side of a group: what a store would keep.
type shelf struct {
	places    []session.Commitment
	snapshots [][]byte
	members   map[string]session.Member
}

func (s *shelf) all() iter.Seq2[session.Commitment, error] {
	return func(yield func(session.Commitment, error) bool) {
		for _, c := range s.places {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (s *shelf) waiting() (out []session.Member) {
	for _, m := range s.members {
		if m.Waits() {
			out = append(out, m)
		}
	}
	return out
}

func (s *shelf) keep(t *testing.T, p *session.Publication) {
	t.Helper()
	if p.Number != uint64(len(s.snapshots)) || p.First != len(s.places) {
		t.Fatalf("publication %d at place %d after %d at %d", p.Number, p.First, len(s.snapshots), len(s.places))
	}
	for _, i := range p.Vacate {
		s.places[i] = session.Commitment{}
	}
	s.places = append(s.places, p.Enter...)
	s.snapshots = append(s.snapshots, p.Snapshot)
	for _, m := range p.Members {
		if s.members[m.UserID] = m; m.Current == (session.Commitment{}) {
			delete(s.members, m.UserID)
		}
	}
}

func newHost(t *testing.T, change func(*HostConfig)) *Host {
	t.Helper()
	c := HostConfig{Service: testService, Rules: DefaultRules(), Key: testKey, AtOnce: 1}
	if change != nil {
		change(&c)
	}
	h, err := NewHost(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func load(t *testing.T, h *Host, s *shelf) {
	t.Helper()
	if err := h.Load(s.all(), s.snapshots); err != nil {
		t.Fatal(err)
	}
}

// turn publishes what is due, and tells whether anything was.
func turn(t *testing.T, h *Host, s *shelf, now time.Time) bool {
	t.Helper()
	p, err := h.Plan(s.waiting(), now)
	if err != nil {
		t.Fatal(err)
	}
	if p == nil {
		return false
	}
	s.keep(t, p)
	h.Publish(p)
	again := newHost(t, nil) // and what is stored is the same group
	load(t, again, s)
	if a, b := again.shown.Load().group.Root, h.shown.Load().group.Root; a != b {
		t.Fatalf("loaded anew the root is %s, was %s", a, b)
	}
	return true
}

func (s *shelf) ask(n int, now time.Time) {
	if s.members == nil {
		s.members = map[string]session.Member{}
	}
	for range n {
		id := fmt.Sprintf("user_%d", len(s.members))
		s.members[id] = session.Member{UserID: id, Current: leaves(len(s.members) + 1)[len(s.members)].Bytes(), AskedAt: now}
	}
}

func TestMembersEnterTogether(t *testing.T) {
	h, s := newHost(t, nil), &shelf{}
	load(t, h, s)
	now := start.Add(time.Hour)
	s.ask(4, now)
	if turn(t, h, s, now.Add(time.Hour)) {
		t.Error("four entered")
	}
	s.ask(1, now)
	if !turn(t, h, s, now.Add(time.Hour)) {
		t.Error("five did not")
	}
	if h.Ready(now) == nil {
		t.Error("five hide one another")
	}
	s.ask(20, now)
	if turn(t, h, s, now.Add(time.Hour+Coarse-time.Second)) {
		t.Error("two snapshots in five minutes")
	}
	if !turn(t, h, s, now.Add(time.Hour+Coarse)) || h.Ready(now) != nil {
		t.Error("twenty-five do not")
	}
	s.ask(1, now.Add(2*time.Hour))
	if turn(t, h, s, now.Add(8*time.Hour-time.Second)) {
		t.Error("one entered alone")
	}
	if !turn(t, h, s, now.Add(8*time.Hour)) {
		t.Error("one waits for ever")
	}
	if turn(t, h, s, now.Add(9*time.Hour)) {
		t.Error("a snapshot of nothing new")
	}
}

// The order in the group says nothing of who asked first.
func TestABatchIsShuffled(t *testing.T) {
	kept := 0
	for range 20 {
		h, s := newHost(t, nil), &shelf{}
		load(t, h, s)
		s.ask(8, start)
		waiting := s.waiting()
		slices.SortFunc(waiting, func(a, b session.Member) int { return strings.Compare(a.UserID, b.UserID) })
		p, err := h.Plan(slices.Clone(waiting), start)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range waiting {
			if p.Enter[i] == m.Current {
				kept++
			}
		}
	}
	if kept > 80 { // 20 are expected of 160
		t.Errorf("%d of 160 stayed where they came", kept)
	}
}

// The turn of an epoch: whoever leaves is gone, whoever replaces is another, and
// nobody can sign in before it is published.
func TestTheTurnOfAnEpoch(t *testing.T) {
	h, s := newHost(t, func(c *HostConfig) { c.Rules = DevRules() }), &shelf{}
	load(t, h, s)
	s.ask(3, start)
	turn(t, h, s, start)
	s.members["user_0"] = session.Member{UserID: "user_0", Current: s.members["user_0"].Current, Entered: true, Leaving: true, AskedAt: start}
	successor := leaves(50)[49].Bytes()
	s.members["user_1"] = session.Member{UserID: "user_1", Current: s.members["user_1"].Current, Entered: true, Leaving: true, Next: successor, AskedAt: start}
	if turn(t, h, s, start.Add(time.Hour)) {
		t.Error("a snapshot of nothing")
	}
	s.ask(1, start)
	if !turn(t, h, s, start.Add(time.Hour)) || len(s.waiting()) != 2 {
		t.Error("they left before the turn")
	}
	next := Epochs{}.Start(686)
	if err := h.Ready(next); session.CodeOf(err) != session.CodeUnavailable {
		t.Errorf("before the first snapshot of the epoch: %v", err)
	}
	if !turn(t, h, s, next) || h.Ready(next) != nil {
		t.Fatal("the epoch has no snapshot")
	}
	g, err := h.Group(next)
	if err != nil || g.Members != 3 || g.Size != 5 || g.Epoch != 686 {
		t.Errorf("%+v, %v", g, err)
	}
	if len(s.members) != 3 || s.members["user_1"].Current != successor || len(s.waiting()) != 0 {
		t.Errorf("%+v", s.members)
	}

	// All leave: there is nothing to sign, and no root of nobody.
	for id, m := range s.members {
		m.Leaving, m.AskedAt = true, next
		s.members[id] = m
	}
	empty := Epochs{}.Start(687)
	if turn(t, h, s, empty) || h.Ready(empty) == nil {
		t.Error("a group of nobody is published")
	}
	s.members["user_new"] = session.Member{UserID: "user_new", Current: leaves(60)[59].Bytes(), AskedAt: empty}
	if !turn(t, h, s, empty) || h.Ready(empty) != nil {
		t.Error("it does not begin again")
	}
}

// Clients that downloaded the group's description find its pages for as long as
// it is the newest or the one before.
func TestPagesOfTheSnapshotBeforeAreServed(t *testing.T) {
	h, s := newHost(t, func(c *HostConfig) { c.Rules = DevRules() }), &shelf{}
	load(t, h, s)
	var roots []string
	for i := range 3 {
		s.ask(2, start)
		turn(t, h, s, start.Add(time.Duration(i)*time.Hour))
		g, err := h.Group(start.Add(time.Duration(i) * time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, g.PageRoots[0])
	}
	if h.Page(roots[0]) != nil || h.Page(roots[1]) == nil || h.Page(roots[2]) == nil || h.Page("0") != nil || h.Page("") != nil {
		t.Error("other pages than the newest and the one before")
	}
	if text := string(h.Page(roots[1])); strings.Count(text, `"`) != 2+2*4 {
		t.Errorf("%s", text)
	}
}

// A group is served as what it was made: under another name, epoch or key its
// members would be other people.
func TestAForeignGroupIsRefused(t *testing.T) {
	h, s := newHost(t, func(c *HostConfig) { c.Rules = DevRules() }), &shelf{}
	load(t, h, s)
	s.ask(2, start.Add(13*24*time.Hour))
	turn(t, h, s, start.Add(13*24*time.Hour))
	for name, change := range map[string]func(*HostConfig){
		"another service": func(c *HostConfig) { c.Service = "other.example.com" },
		"another key":     func(c *HostConfig) { c.Key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)) },
		"shorter epochs":  func(c *HostConfig) { c.Epochs = Epochs{24 * time.Hour} },
		"longer epochs":   func(c *HostConfig) { c.Epochs = Epochs{60 * 24 * time.Hour} },
	} {
		other := newHost(t, change)
		if err := other.Recognise(s.snapshots[0]); !errors.Is(err, errForeign) {
			t.Errorf("%s: %v", name, err)
		}
		if err := other.Load(s.all(), s.snapshots); !errors.Is(err, errForeign) || other.shown.Load() != nil {
			t.Errorf("%s, loaded: %v", name, err)
		}
	}
	lost := *s
	lost.places = s.places[:1]
	if err := newHost(t, nil).Load(lost.all(), s.snapshots); err == nil {
		t.Error("a group without one of its members was loaded")
	}
	lost = *s
	lost.snapshots = nil
	if err := newHost(t, nil).Load(lost.all(), nil); err == nil {
		t.Error("members without a snapshot were loaded")
	}
	damaged := *s
	damaged.places = append([]session.Commitment{{0xff}}, s.places[1:]...)
	if err := newHost(t, nil).Load(damaged.all(), s.snapshots); err == nil {
		t.Error("a number out of the field was loaded")
	}
}

func TestAHostThatIsNotLoadedIsNotReady(t *testing.T) {
	h := newHost(t, nil)
	if err := h.Ready(start); session.CodeOf(err) != session.CodeUnavailable {
		t.Errorf("%v", err)
	}
	if h.Page("1") != nil {
		t.Error("it serves pages")
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		all := leaves(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := restoreGroup(all); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
