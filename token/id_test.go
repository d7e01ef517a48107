package token_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

var kinds = map[token.Kind]string{token.Standard: "sess_", token.Anonymous: "anon_", token.Professional: "prof_"}

func TestIDRoundTrip(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 3, 59, 999, time.FixedZone("", 3600))
	for kind, prefix := range kinds {
		id := token.NewID(kind, at)
		want := at.Truncate(time.Second)
		if kind == token.Anonymous {
			want = at.Truncate(token.AnonymousBucket)
		}
		if !strings.HasPrefix(id.String(), prefix) || len(id.String()) != 37 || id.Kind() != kind || !id.Time().Equal(want) || id.Time().Location() != time.UTC {
			t.Errorf("%s %d %s", id, id.Kind(), id.Time())
		}
		if again, err := token.ParseID(id.String()); err != nil || again != id {
			t.Errorf("%s became %s: %v", id, again, err)
		}
		if again, err := token.IDFromBytes(id[:]); err != nil || again != id {
			t.Errorf("%s became %s: %v", id, again, err)
		}
	}
}

func TestIDGolden(t *testing.T) {
	if got := sessionID(t).String(); got != "sess_d6i2ng50k6ha7955kqjqhadalemarblf" {
		t.Error(got)
	}
}

// Ids of a kind sort by time, as bytes and as text, and FirstID bounds them.
func TestIDsSortByTime(t *testing.T) {
	for kind := range kinds {
		var made []token.ID
		for i := range 100 {
			made = append(made, token.NewID(kind, noon.Add(time.Duration(i)*token.AnonymousBucket)))
		}
		if !slices.IsSortedFunc(made, token.ID.Compare) || !slices.IsSortedFunc(made, func(a, b token.ID) int { return strings.Compare(a.String(), b.String()) }) {
			t.Errorf("kind %d is out of order", kind)
		}
		for i := range made {
			at := noon.Add(time.Duration(i) * token.AnonymousBucket)
			if made[i].Compare(token.FirstID(kind, at)) < 0 || made[i].Compare(token.FirstID(kind, at.Add(token.AnonymousBucket))) >= 0 {
				t.Errorf("%s lies outside its bounds", made[i])
			}
		}
	}
}

// Nobody learns from an anonymous id when, within five minutes, it was made.
func TestAnonymousIDsTellOnlyTheirBucket(t *testing.T) {
	want := token.FirstID(token.Anonymous, noon)
	for s := range 300 {
		id := token.NewID(token.Anonymous, noon.Add(time.Duration(s)*time.Second+time.Millisecond))
		if [5]byte(id[:5]) != [5]byte(want[:5]) {
			t.Fatalf("second %d shows", s)
		}
	}
	if id := token.NewID(token.Anonymous, noon.Add(300*time.Second)); [5]byte(id[:5]) == [5]byte(want[:5]) {
		t.Error("the next bucket is the same")
	}
}

func TestIDsAreRandom(t *testing.T) {
	const n = 20_000
	var ones [128]int
	seen := make(map[token.ID]bool, n)
	for range n {
		id := token.NewID(token.Anonymous, noon)
		if seen[id] {
			t.Fatal("an id came twice")
		}
		seen[id] = true
		for bit := range ones {
			ones[bit] += int(id[5+bit/8] >> (bit % 8) & 1)
		}
	}
	// Five sigma: sqrt(n)/2 is one.
	for bit, count := range ones {
		if count < n/2-354 || count > n/2+354 {
			t.Errorf("bit %d is set in %d of %d", bit, count, n)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	id := sessionID(t).String()
	bad := []string{
		"", "sess_", id + "0", id[:36], id[1:], " " + id, id + " ", id + "\n", strings.ToUpper(id), "sess_" + strings.ToUpper(id[5:]), "Sess_" + id[5:],
		"sess-" + id[5:], "user_" + id[5:], "prof" + id[4:36], "_sess" + id[5:], id[:20] + "\n" + id[21:], "sess_\r\n" + id[7:], "sess_\n" + id[6:], id[:36] + "\n",
		id[:36] + "=", id[:36] + "w", id[:36] + "W", id[:36] + "-", id[:36] + "\x00", id[:35] + "é", strings.Repeat("s", 37),
	}
	for i := range id {
		bad = append(bad, id[:i])
	}
	for _, s := range bad {
		if got, err := token.ParseID(s); err != token.ErrID || got != (token.ID{}) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func TestIDFromBytesRefuses(t *testing.T) {
	id := sessionID(t)
	for name, b := range map[string][]byte{
		"nothing": nil, "short": id[:20], "long": append(id[:21:21], 0), "kind 0": make([]byte, 21), "kind 4": append([]byte{4}, id[1:]...), "kind 255": append([]byte{255}, id[1:]...),
	} {
		if got, err := token.IDFromBytes(b); err != token.ErrID || got != (token.ID{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if s := (token.ID{}).String(); s != "" {
		t.Errorf("the zero id is written %q", s)
	}
}
