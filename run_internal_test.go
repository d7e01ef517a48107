package session

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

// rows is a store that only takes updates, and counts them by second.
type rows struct {
	Store
	taken map[token.ID]int
	most  int // in one call of tend
}

func (r *rows) Meta(context.Context) (Meta, error)         { return Meta{}, nil }
func (r *rows) SetMeta(context.Context, Meta, Meta) error  { return nil }
func (r *rows) AddKey(context.Context, WrappedKey) error   { return nil }
func (r *rows) DropKeys(context.Context, ...string) error  { return nil }
func (r *rows) Keys(context.Context) ([]WrappedKey, error) { return r.keys(), nil }
func (r *rows) Live(context.Context, time.Time) iter.Seq2[Session, error] {
	return func(func(Session, error) bool) {}
}

func (r *rows) Apply(_ context.Context, changes ...Change) []error {
	for _, c := range changes {
		for _, s := range c.Update {
			r.taken[s.ID]++
		}
	}
	r.most += len(changes)
	return make([]error, len(changes))
}

func (r *rows) keys() []WrappedKey {
	k, _ := NewKeyring(MasterKey{1}, 0, "https://x.example", token.EdDSA, DefaultPolicies())
	w, _ := k.newKey(noon.Add(-time.Hour), noon.Add(-time.Hour))
	return []WrappedKey{w}
}

// Everybody was there in the same second. All of it is written within seconds,
func (r *rows) Cuts(context.Context) ([]Cut, error) { return nil, nil }

// each once, a bounded part at a time; and when there is no time, later.
func TestACrowdIsWrittenInItsTurn(t *testing.T) {
	now := noon
	store := &rows{taken: map[token.ID]int{}}
	s, err := NewService(t.Context(), Config{Store: store, MasterKey: MasterKey{1}, Issuer: "https://x.example", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	crowd := thousands(5 * writePerBeat)
	for _, row := range crowd {
		s.live.keepWritten(&row, now)
		s.live.see(&row, 1, now.Add(time.Minute), now)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	now = now.Add(activityEvery)
	if err := s.tend(gone); err == nil || len(store.taken) != 0 {
		t.Fatalf("without time: %v, %d written", err, len(store.taken))
	}
	for range 10 {
		for range 2 {
			store.most = 0
			if err := s.tend(t.Context()); err != nil {
				t.Fatal(err)
			}
			if store.most > writePerBeat {
				t.Fatalf("%d at once", store.most)
			}
		}
		now = now.Add(time.Second)
	}
	if len(store.taken) != len(crowd) || s.UnwrittenCount() != 0 {
		t.Errorf("%d of %d written", len(store.taken), len(crowd))
	}
	for id, n := range store.taken {
		if n != 1 {
			t.Fatalf("%s was written %d times", id, n)
		}
	}
}
