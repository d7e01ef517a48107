package session

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

// look is get as an expression.
func look(l *live, id token.ID) (s Session, ok bool) {
	_, ok = l.get(id, &s)
	return s, ok
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// anySession is one as the service makes them, with whatever a store may hold.
func anySession(rng *mrand.Rand, at time.Time) Session {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	t := Types[rng.IntN(len(Types))]
	created := at.Add(-time.Duration(rng.Int64N(int64(time.Hour)))).Truncate(time.Second)
	s := Session{
		ID: token.NewID(t.kind(), created), Type: t,
		Subject: Subject{ID: pick(NewUserID(), "anon_x", "", "ünïcode", "a\nb"), Account: Account{
			Chain: Chain(pick("icp", "ethereum", "")), Address: pick("xwrtn-2qmnj-pxlgk-qj2q4-4zh6d-jzdu6-mjsum-aouwh-rv2j3-oiscc-lqe", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "", strings.Repeat("é", 60))}},
		Permissions: NewPermissions([]string{"a", "b", "c"}[:rng.IntN(4)]...), DeviceLabel: pick("", "Firefox on Android"),
		Reporting: rng.IntN(2) == 0, Channel: Channel(pick(string(Header), string(Cookie))),
		CreatedAt: created, AuthTime: created.Add(time.Duration(rng.IntN(3600)) * time.Second),
		TokenLife: time.Duration(60+rng.IntN(3)) * time.Second, IdleLife: 35 * time.Minute,
		ExpiresAt: at.Add(time.Hour), AbsoluteEnd: at.Add(MaxAbsoluteLife - time.Hour), LastActivity: at.Add(time.Duration(rng.IntN(1e6)) * time.Millisecond),
		Generation: rng.Uint32(), UsedGen: rng.Uint32(), MinGen: rng.Uint32(), SteppedAt: at.Add(-time.Duration(rng.IntN(1e6)) * time.Millisecond),
		RestoreEpoch: 7, Version: uint64(rng.Uint32()),
	}
	rand.Read(s.Seed[:])
	for range rng.IntN(3) * rng.IntN(60) {
		var k KeyHash
		rand.Read(k[:])
		s.SeenKeys = append(s.SeenKeys, k)
	}
	if len(s.Permissions) == 0 {
		s.Permissions = NewPermissions()
	}
	return s
}

// The table gives back exactly what was put in, however often rows change their
// size and their terms, come and go; and it forgets all terms that are gone.
func TestTheLiveTableIsAMap(t *testing.T) {
	rng := mrand.New(mrand.NewPCG(1, 2))
	l := newLive(7, noon)
	model := map[token.ID]Session{}
	var ids []token.ID
	ends := 0
	for range 30_000 {
		s := anySession(rng, noon)
		if len(ids) > 200 && rng.IntN(3) > 0 {
			old := model[ids[rng.IntN(len(ids))]]
			s.ID, s.CreatedAt, s.Version = old.ID, old.ID.Time().Add(time.Minute), old.Version+1
			if rng.IntN(4) == 0 {
				s.EndedAt, s.EndReason = noon.Add(time.Second), endReasons[1+rng.IntN(len(endReasons)-1)]
				ends++
			}
		}
		l.keepWritten(&s, noon)
		if _, known := model[s.ID]; !known {
			ids = append(ids, s.ID)
		}
		model[s.ID] = s
		if s.Ended() { // it is buried
			ids = slices.DeleteFunc(ids, func(id token.ID) bool { return id == s.ID })
			if got, ok := look(l, s.ID); !ok || !reflect.DeepEqual(got, s) {
				t.Fatalf("a tombstone: %+v, want %+v", got, s)
			}
			sh := l.shard(s.ID)
			sh.bury(sh.find(s.ID))
			delete(model, s.ID)
		}
	}
	for id, want := range model {
		if got, ok := look(l, id); !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}
	if l.count() != len(model) || ends == 0 {
		t.Errorf("%d sessions, want %d", l.count(), len(model))
	}
	for id := range model {
		sh := l.shard(id)
		sh.bury(sh.find(id))
	}
	for i := range l.shards {
		sh := &l.shards[i]
		if len(sh.terms.numbers) != 0 || sh.count != 0 || len(sh.free) != len(sh.entries)-1 {
			t.Errorf("shard %d still holds %d terms and %d of %d entries", i, len(sh.terms.numbers), len(sh.entries)-1-len(sh.free), len(sh.entries)-1)
		}
	}
}

// A seed does not outlive its session in memory.
func TestADroppedSlotIsCleared(t *testing.T) {
	l := newLive(0, noon)
	s := anySession(mrand.New(mrand.NewPCG(3, 4)), noon)
	l.keepWritten(&s, noon)
	sh := l.shard(s.ID)
	bytes := sh.packed(sh.find(s.ID))
	sh.bury(sh.find(s.ID))
	for _, b := range bytes {
		if b != 0 {
			t.Fatal("what the slot held is still there")
		}
	}
}

// Each entry comes once, at its second, whatever order they were put in and
// however the clock jumps.
func TestTheWheel(t *testing.T) {
	rng := mrand.New(mrand.NewPCG(5, 6))
	const n = 2000
	entries := make([]entry, n+1)
	w := wheel{turned: 1_000_000}
	due := map[uint32]uint32{}
	for i := uint32(1); i <= n; i++ {
		at := 1_000_000 + uint32(rng.IntN(5000)) - 100
		w.add(entries, i, at)
		due[i] = max(at, w.turned)
	}
	for i := uint32(1); i <= n; i += 3 { // moved, and moved again
		for range 2 {
			at := 1_000_000 + uint32(rng.IntN(5000))
			w.add(entries, i, at)
			due[i] = at
		}
	}
	for i := uint32(2); i <= n; i += 7 {
		w.remove(entries, i)
		delete(due, i)
	}
	now := uint32(1_000_000)
	for len(due) > 0 && now < 1_010_000 {
		back := false
		switch rng.IntN(50) {
		case 0:
			now += 1500 // more than a turn
		case 1:
			now -= 700
			back = true
		case 2:
			now -= 7
		default:
			now += uint32(rng.IntN(3))
		}
		woken := slices.Clone(w.turn(entries, now))
		if back && len(woken) != len(due) {
			t.Fatalf("a clock set back woke %d of %d", len(woken), len(due))
		}
		for _, i := range woken {
			at, ok := due[i]
			if !ok || at > now && !back {
				t.Fatalf("entry %d came at %d, due %d", i, now, at)
			}
			delete(due, i)
			if at > now {
				w.add(entries, i, at)
				due[i] = at
			}
		}
		for i, at := range due {
			if at <= now {
				t.Fatalf("entry %d did not come at %d, due %d", i, now, at)
			}
		}
	}
	if len(due) > 0 {
		t.Errorf("%d never came", len(due))
	}
}

// What was forgotten because its stored state is unknown is still looked at in
// its time; what the store does not hold is then dropped.
func TestAForgottenSessionIsStillLookedAt(t *testing.T) {
	l := newLive(0, noon)
	s := anySession(mrand.New(mrand.NewPCG(7, 8)), noon)
	s.Type, s.Reporting, s.LastActivity = Standard, true, noon
	l.keepWritten(&s, noon)
	l.forget(s.ID)
	if _, ok := look(l, s.ID); ok {
		t.Fatal("it is still believed")
	}
	if ids := l.woken(s.IdleEnd().Add(-time.Second)); len(ids) != 0 {
		t.Fatalf("too early: %v", ids)
	}
	if ids := l.woken(s.IdleEnd()); len(ids) != 1 || ids[0] != s.ID {
		t.Fatalf("woken: %v", ids)
	}
	l.drop(s.ID)
	if l.count() != 0 {
		t.Error("it was not dropped")
	}
}

// What was seen of a person is looked at a minute later, once, unless it has been
// written by then; before an idle end that comes sooner; and at once by a clock
// that has been set back.
func TestASightingIsLookedAtAMinuteLater(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	for name, c := range map[string]struct {
		idle  time.Duration
		then  func(l *live, s Session)
		quiet time.Time // nothing is looked at yet
		comes time.Time // now it is; zero: not for a sighting
	}{
		"seen":                 {time.Hour, func(*live, Session) {}, at(59 * time.Second), at(time.Minute)},
		"seen again":           {time.Hour, func(l *live, s Session) { l.see(&s, 1, at(time.Second), at(time.Second)) }, at(59 * time.Second), at(time.Minute)},
		"soon to idle out":     {time.Minute, func(*live, Session) {}, at(24 * time.Second), at(25 * time.Second)},
		"in the wheel too":     {time.Hour, func(l *live, s Session) { l.wake(s.ID, at(0), at(0)) }, at(59 * time.Second), at(time.Minute)},
		"written before":       {time.Hour, func(l *live, s Session) { s.Version, s.LastActivity = s.Version+1, at(0); l.keepWritten(&s, at(0)) }, at(10 * time.Minute), time.Time{}},
		"ended before":         {time.Hour, func(l *live, s Session) { s = s.end(EndLogout, at(0)); s.Version++; l.keepWritten(&s, at(0)) }, at(10 * time.Minute), time.Time{}},
		"of unknown state now": {time.Hour, func(l *live, s Session) { l.forget(s.ID) }, at(59 * time.Second), at(time.Minute)},
	} {
		l := newLive(0, noon)
		s := thousands(1)[0]
		s.LastActivity, s.IdleLife, s.UsedGen = at(-30*time.Second), c.idle, 1
		l.keepWritten(&s, noon)
		l.see(&s, 1, noon, noon)
		c.then(l, s)
		if ids := l.woken(c.quiet); len(ids) != 0 {
			t.Errorf("%s: looked at too early", name)
		}
		if c.comes.IsZero() {
			continue
		}
		if ids := l.woken(c.comes); len(ids) != 1 || ids[0] != s.ID || !l.unwritten(s.ID, c.comes) {
			t.Errorf("%s: looked at %d", name, len(ids))
		}
		if ids := l.woken(c.comes.Add(time.Second)); len(ids) != 0 {
			t.Errorf("%s: looked at twice", name)
		}
	}
	l := newLive(0, noon)
	s := thousands(1)[0]
	s.LastActivity, s.UsedGen = at(-30*time.Second), 1
	l.keepWritten(&s, noon)
	l.see(&s, 1, noon, noon)
	if ids := l.woken(noon.Add(-2 * time.Second)); len(ids) != 1 {
		t.Error("noted in the future, and not looked at")
	}
	l.wake(s.ID, noon.Add(-2*time.Second), noon.Add(-2*time.Second))
	if ids := l.woken(noon.Add(57 * time.Second)); len(ids) != 0 {
		t.Error("looked at too early after a clock was set back")
	}
	if ids := l.woken(noon.Add(58 * time.Second)); len(ids) != 1 {
		t.Error("not looked at after a clock was set back")
	}
}

// A read that is older than a write of its shard is not believed.
func TestASlowReaderRevivesNothing(t *testing.T) {
	l := newLive(0, noon)
	s := anySession(mrand.New(mrand.NewPCG(9, 10)), noon)
	mark := l.mark(s.ID)
	ended := s.end(EndLogout, noon)
	ended.Version++
	l.keepWritten(&ended, noon)
	if _, current := l.keepRead(s, mark, noon); current {
		t.Error("a slow reader was believed")
	}
	s.Version += 5
	l.keepWritten(&s, noon.Add(-time.Second)) // no store commits this; ended is final in the version that ended
	if got, _ := look(l, s.ID); got.Version < ended.Version {
		t.Error("an older version took the place of a newer one")
	}
	if ids := l.woken(noon.Add(tombstoneLife + time.Hour)); len(ids) != 0 && !s.Alive(noon) {
		t.Errorf("woken: %v", ids)
	}
}

// thousands are sessions as a standard sign-in makes them.
func thousands(n int) []Session {
	account := func() string {
		raw := strings.ToLower(rand.Text() + rand.Text() + rand.Text())
		return fmt.Sprintf("%s-%s-%s-%s-%s-%s-%s-%s-%s-%s-%s", raw[:5], raw[5:10], raw[10:15], raw[15:20], raw[20:25], raw[25:30], raw[30:35], raw[35:40], raw[40:45], raw[45:50], raw[50:53])
	}
	p := DefaultPolicies()[Standard]
	all := make([]Session, n)
	for i := range all {
		at := noon.Add(-time.Duration(i%1800) * time.Second)
		all[i] = Session{
			ID: token.NewID(token.Standard, at), Type: Standard, Channel: Header, Reporting: true, Permissions: p.Permissions,
			Subject:   Subject{ID: NewUserID(), Account: Account{Chain: InternetComputer, Address: account()}},
			CreatedAt: at, AuthTime: at, LastActivity: at.Add(time.Duration(i) * time.Millisecond), SteppedAt: at.Add(time.Duration(i) * time.Millisecond),
			ExpiresAt: at.Add(p.TokenLife), AbsoluteEnd: at.Add(p.AbsoluteLife), TokenLife: p.TokenLife, IdleLife: p.IdleLife,
			Generation: 1, UsedGen: 1, MinGen: 1, Version: 3,
		}
		rand.Read(all[i].Seed[:])
	}
	return all
}

// BenchmarkLive fills the table with a million sessions and looks them up at
// random. It tells the bytes of heap that each takes, with nothing and with a
// sighting of each unwritten, and what a collection of them costs.
func BenchmarkLive(b *testing.B) {
	const n = 1_000_000
	all := thousands(n)
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before := heap()
	l := newLive(0, noon)
	for i := range all {
		l.keepWritten(&all[i], noon)
	}
	table := heap() - before
	for i := range all {
		l.see(&all[i], 1, noon.Add(time.Minute), noon.Add(time.Minute))
	}
	seen := heap() - before
	began := time.Now()
	runtime.GC()
	collection := time.Since(began)

	rng := mrand.New(mrand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := look(l, all[rng.IntN(n)].ID); !ok {
			b.Fatal("missing")
		}
	}
	b.ReportMetric(table/n, "heapB/session")
	b.ReportMetric(seen/n, "seen-heapB/session")
	b.ReportMetric(collection.Seconds()*1000, "gc-ms")
}

// What was remembered of tokens does not outlive a key that was dropped.
func TestADroppedKeyForgetsTheTokensItSigned(t *testing.T) {
	key := func(id string) KeyInfo { return KeyInfo{ID: id} }
	old := &signingKeys{list: []KeyInfo{key("a"), key("b")}}
	if next := (&signingKeys{list: []KeyInfo{key("a"), key("b"), key("c")}}); !next.holds(old) {
		t.Error("a key was added: nothing is forgotten")
	}
	if next := (&signingKeys{list: []KeyInfo{key("b"), key("c")}}); next.holds(old) {
		t.Error("a key is gone and its tokens are remembered")
	}
	k, err := NewKeyring(MasterKey{1}, 0, "https://x.example", token.EdDSA, DefaultPolicies())
	if err != nil {
		t.Fatal(err)
	}
	make := func(at time.Time) WrappedKey {
		w, err := k.newKey(at, at)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	first := make(noon)
	tags := func(stored ...WrappedKey) tagKey {
		if _, err := k.use(stored, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		return k.current.Load().tags
	}
	one := tags(first)
	second := make(noon.Add(time.Minute))
	two := tags(first, second)
	three := tags(second)
	if one == (tagKey{}) || one != two || two == three {
		t.Error("the tags' key changes when and only when a key is dropped")
	}
}
