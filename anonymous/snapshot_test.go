package anonymous

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	session "github.com/mentalverse/session"
)

var (
	testKey    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	testPublic = testKey.Public().(ed25519.PublicKey)
)

const testService ServiceID = "app.example.com"

// start is the first moment of epoch 685, a multiple of Coarse.
var start = Epochs{}.Start(685)

func sign(t testing.TB, s Snapshot) SignedSnapshot {
	t.Helper()
	signed, err := s.Sign(testService, testKey)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// history returns snapshots of a group that grows by one every ten minutes,
// beginning with seed members.
func history(t testing.TB, seed, n int) (list []SignedSnapshot) {
	t.Helper()
	var tree Tree
	if err := tree.Append(leaves(seed)...); err != nil {
		t.Fatal(err)
	}
	var before *Snapshot
	for i := range n {
		if err := tree.Append(leaves(seed + i + 1)[seed+i]); err != nil {
			t.Fatal(err)
		}
		s := before.Next(testService, &tree, Epochs{}, start.Add(time.Duration(i)*10*time.Minute))
		list = append(list, sign(t, s))
		before = &s
	}
	return list
}

func TestASnapshotIsHashedAsWritten(t *testing.T) {
	s := Snapshot{Number: 7, Size: 20, Epoch: 685, CreatedAt: time.Unix(1775520000, 0), Previous: [32]byte(bytes.Repeat([]byte{9}, 32))}
	s.Root.SetUint64(5)
	h := s.Hash(testService)
	if got := hex.EncodeToString(h[:]); got != "69d9b9ded0de09f921a55084ab31a086d80fd2298054a218f02d20636ebfe30d" {
		t.Errorf("hash %s", got)
	}
}

func TestEveryFieldOfASnapshotIsSigned(t *testing.T) {
	good := history(t, 3, 2)[1]
	if err := good.Verify(testService, testPublic); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*SignedSnapshot){
		"number":    func(s *SignedSnapshot) { s.Number++ },
		"root":      func(s *SignedSnapshot) { s.Root.SetUint64(1) },
		"size":      func(s *SignedSnapshot) { s.Size++ },
		"epoch":     func(s *SignedSnapshot) { s.Epoch++ },
		"time":      func(s *SignedSnapshot) { s.CreatedAt = s.CreatedAt.Add(Coarse) },
		"previous":  func(s *SignedSnapshot) { s.Previous[31] ^= 1 },
		"signature": func(s *SignedSnapshot) { s.Signature[0] ^= 1 },
	} {
		s := good
		change(&s)
		if err := s.Verify(testService, testPublic); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
		if name != "signature" && s.Hash(testService) == good.Hash(testService) {
			t.Errorf("%s: the same hash", name)
		}
	}
	other := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	for name, err := range map[string]error{
		"another key": good.Verify(testService, other), "no key": good.Verify(testService, nil),
		"another service": good.Verify("app.example.org", testPublic),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}

func TestWhatIsNoSnapshotIsNotSigned(t *testing.T) {
	good := history(t, 3, 2)[1].Snapshot
	for name, change := range map[string]func(*Snapshot){
		"root 0":                  func(s *Snapshot) { s.Root.SetZero() },
		"nobody":                  func(s *Snapshot) { s.Size = 0 },
		"too many":                func(s *Snapshot) { s.Size = MaxMembers + 1 },
		"a fine time":             func(s *Snapshot) { s.CreatedAt = s.CreatedAt.Add(time.Second) },
		"a finer time":            func(s *Snapshot) { s.CreatedAt = s.CreatedAt.Add(1) },
		"before 1970":             func(s *Snapshot) { s.CreatedAt = time.Unix(-300, 0) },
		"absurd epoch":            func(s *Snapshot) { s.Epoch = lastEpoch + 1 },
		"first with one before":   func(s *Snapshot) { s.Number = 0 },
		"second with none before": func(s *Snapshot) { s.Previous = [32]byte{} },
	} {
		s := good
		change(&s)
		if _, err := s.Sign(testService, testKey); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", name, err)
		}
		signed := SignedSnapshot{Snapshot: s}
		copy(signed.Signature[:], ed25519.Sign(testKey, s.encode(testService)))
		if err := signed.Verify(testService, testPublic); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s, signed: %v, want ErrSnapshot", name, err)
		}
	}
	if _, err := good.Sign("", testKey); !errors.Is(err, ErrName) {
		t.Error(err)
	}
}

func TestASnapshotsJSONIsStrict(t *testing.T) {
	s := history(t, 3, 2)[1]
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back SignedSnapshot
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, s) {
		t.Fatalf("%v: %s", err, b)
	}
	for name, change := range map[string][2]string{
		"root with a zero before": {`"root":"`, `"root":"0`},
		"another zone":            {`Z"`, `+00:00"`},
		"a fraction":              {`00Z"`, `00.0Z"`},
		"slack in the signature":  {`"signature":"`, `"signature":"A`},
		"unknown key":             {`"number"`, `"x":1,"number"`},
		"repeated key":            {`"size"`, `"size":1,"size"`},
	} {
		text := strings.Replace(string(b), change[0], change[1], 1)
		if text == string(b) {
			t.Fatalf("%s: nothing changed", name)
		}
		if err := json.Unmarshal([]byte(text), &back); err == nil {
			t.Errorf("%s: %s is taken", name, text)
		}
	}
}

func TestAClientFollowsWhatGrowsOutOfItsHead(t *testing.T) {
	list := history(t, 3, 8)
	now := list[7].CreatedAt
	c := NewChain(testService, testPublic, nil)
	for _, part := range [][]SignedSnapshot{list[2:4], nil, list[:4], list[3:4], list[4:5], list, list[7:]} {
		if err := c.Extend(part, now); err != nil {
			t.Fatal(err)
		}
	}
	head, ok := c.Head()
	if !ok || head != list[7] {
		t.Errorf("head %d", head.Number)
	}
	if _, ok := NewChain(testService, testPublic, nil).Head(); ok {
		t.Error("a head before the first contact")
	}
}

func TestAClientRefusesForksAndRollbacks(t *testing.T) {
	list := history(t, 3, 8)
	private := history(t, 4, 8) // another group, signed by the same key
	now := list[7].CreatedAt
	relink := func(i int, change func(*Snapshot)) []SignedSnapshot {
		s := list[i].Snapshot
		change(&s)
		return []SignedSnapshot{sign(t, s)}
	}
	badSignature := slices.Clone(list)
	badSignature[6].Signature[3] ^= 1
	for name, try := range map[string]struct {
		list []SignedSnapshot
		want error
	}{
		"another group from the start":   {private, ErrFork},
		"another group from here":        {private[5:], ErrFork},
		"another group with the head's":  {private[4:5], ErrFork},
		"a known head, then another":     {append(slices.Clone(list[4:5]), private[5:]...), ErrFork},
		"a change of the group unlinked": {relink(5, func(s *Snapshot) { s.Previous[0] ^= 1 }), ErrFork},
		"an older list":                  {list[:3], ErrRollback},
		"another older list":             {private[:3], ErrRollback},
		"a gap":                          {list[6:], ErrGap},
		"a gap within":                   {append(slices.Clone(list[:6]), list[7]), ErrFork},
		"the wrong order":                {[]SignedSnapshot{list[5], list[4]}, ErrFork},
		"a bad signature":                {badSignature, ErrSignature},
		"a smaller group":                {relink(5, func(s *Snapshot) { s.Size = 1 }), ErrFork},
		"an epoch back":                  {relink(5, func(s *Snapshot) { s.Epoch-- }), ErrFork},
		"a time back":                    {relink(5, func(s *Snapshot) { s.CreatedAt = s.CreatedAt.Add(-time.Hour) }), ErrFork},
		"the future":                     {relink(5, func(s *Snapshot) { s.CreatedAt = s.CreatedAt.Add(48 * time.Hour) }), ErrFuture},
	} {
		known := list[4]
		c := NewChain(testService, testPublic, &known)
		if err := c.Extend(try.list, now); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
		if head, _ := c.Head(); head != list[4] {
			t.Errorf("%s: the head moved", name)
		}
	}
	c := NewChain(testService, testPublic, &list[4])
	if err := c.Extend(relink(5, func(s *Snapshot) { s.Size, s.Epoch = 1, s.Epoch+1 }), now); err != nil {
		t.Errorf("a smaller group in a new epoch: %v", err)
	}
}

func TestTheNewestSnapshotIsAcceptedAndItsPredecessorsForAnHour(t *testing.T) {
	var w Window
	for _, s := range history(t, 3, 3) { // at 0, 10 and 20 minutes
		w = append(w, s.Snapshot)
	}
	w[2].CreatedAt = start.Add(5 * time.Hour)
	for _, c := range []struct {
		which int
		at    time.Duration
		want  bool
	}{
		{2, 5 * time.Hour, true}, {2, 500 * time.Hour, true},
		{1, 5 * time.Hour, true}, {1, 6*time.Hour + Coarse - 1, true}, {1, 6*time.Hour + Coarse, false},
		{0, 10 * time.Minute, true}, {0, 70*time.Minute + Coarse - 1, true}, {0, 70*time.Minute + Coarse, false},
	} {
		now := start.Add(c.at)
		if w.Accepts(w[c.which].Root, 685, now) != c.want {
			t.Errorf("snapshot %d at %v: want %v", c.which, c.at, c.want)
		}
		if w.Trim(now).Accepts(w[c.which].Root, 685, now) != c.want {
			t.Errorf("snapshot %d at %v, trimmed: want %v", c.which, c.at, c.want)
		}
		if w.Accepts(w[c.which].Root, 686, now) || w.Accepts(w[c.which].Root, 684, now) {
			t.Error("a snapshot counts in another epoch")
		}
	}
	var one fr.Element
	if one.SetOne(); w.Accepts(one, 685, start) || w.Accepts(fr.Element{}, 685, start) || (Window{{Epoch: 685}}).Accepts(fr.Element{}, 685, start) {
		t.Error("a root of nobody's is accepted")
	}
	if len(Window(nil).Trim(start)) != 0 || len(w.Trim(start.Add(99*time.Hour))) != 1 {
		t.Error("the newest is trimmed, or nothing is")
	}
}

// Who replaces a commitment at the turn of an epoch must not count twice in the
// new one: once by the old group, once by the new.
func TestNobodyHasTwoPseudonymsAtTheTurnOfAnEpoch(t *testing.T) {
	var old, fresh Tree
	if err := errors.Join(old.Append(leaves(3)...), fresh.Append(leaves(4)[1:]...)); err != nil {
		t.Fatal(err)
	}
	before := (*Snapshot)(nil).Next(testService, &old, Epochs{}, start.Add(-10*time.Minute))
	after := before.Next(testService, &fresh, Epochs{}, start)
	w := Window{before, after}
	now := start.Add(time.Minute)
	if !before.Turned(Epochs{}, start) || before.Turned(Epochs{}, start.Add(-1)) || after.Turned(Epochs{}, now) {
		t.Error("the turn of the epoch is elsewhere")
	}
	if w.Accepts(before.Root, 685, now) || !w.Accepts(after.Root, 685, now) || w.Accepts(after.Root, 684, now) {
		t.Error("a snapshot is accepted for another epoch's scope")
	}
}

func TestAClockSetBackBreaksNoChain(t *testing.T) {
	var tree Tree
	if err := tree.Append(leaves(1)...); err != nil {
		t.Fatal(err)
	}
	first := (*Snapshot)(nil).Next(testService, &tree, Epochs{}, start.Add(299*time.Second))
	second := first.Next(testService, &tree, Epochs{}, start.Add(-time.Hour))
	if !first.CreatedAt.Equal(start) || !second.CreatedAt.Equal(start) || second.Epoch != 685 {
		t.Errorf("%v, %v, epoch %d", first.CreatedAt, second.CreatedAt, second.Epoch)
	}
	if err := NewChain(testService, testPublic, nil).Extend([]SignedSnapshot{sign(t, first), sign(t, second)}, start); err != nil {
		t.Error(err)
	}
}

func TestCommitmentsEnterInBatches(t *testing.T) {
	for _, c := range []struct {
		rules   Rules
		pending int
		waited  time.Duration
		want    bool
	}{
		{DefaultRules(), 0, 99 * time.Hour, false},
		{DefaultRules(), 1, 0, false}, {DefaultRules(), 4, 6*time.Hour - 1, false},
		{DefaultRules(), 1, 6 * time.Hour, true}, {DefaultRules(), 5, 0, true},
		{DefaultRules(), 4, -time.Hour, false}, // a clock was set back
		{DevRules(), 0, time.Hour, false}, {DevRules(), 1, 0, true},
	} {
		if c.rules.Due(c.pending, start, start.Add(c.waited)) != c.want {
			t.Errorf("%d pending for %v: want %v", c.pending, c.waited, c.want)
		}
	}
	for members, open := range map[int]bool{0: false, 19: false, 20: true, 21: true} {
		err := DefaultRules().Open(members)
		if (err == nil) != open || err != nil && session.CodeOf(err) != session.CodeUnavailable {
			t.Errorf("%d members: %v", members, err)
		}
	}
	if DevRules().Open(1) != nil || DevRules().Open(0) == nil || (Rules{}).Open(0) == nil {
		t.Error("a group of nobody is open, or one of one is not")
	}
}
