package client

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/token"
)

// refetch is how long apart the published keys are fetched for tokens that name
// a key which is not among them: whoever makes such texts up makes no more calls.
const refetch = 2 * time.Second

// keys are the session service's published keys.
type keys struct {
	fetch   func(context.Context) ([]*token.Key, error)
	spawn   func(func(context.Context)) bool
	current atomic.Pointer[published] // nil before the first fetch

	mu      sync.Mutex
	begun   uint64    // fetches
	running *fetching // nil if none is under way
	tried   time.Time // when the last one began
}

// published are the keys of one fetch, and the issuer whose tokens they are known
// to sign: "" until the session service has accepted one.
type published struct {
	number uint64 // of the fetch, from 1
	keys   []*token.Key
	issuer string
	set    *token.KeySet
}

type fetching struct {
	number uint64
	done   chan struct{}
	err    error // set before done is closed
}

// opaque reports whether no token can be checked here: they are HS256.
func (p *published) opaque() bool { return len(p.keys) == 0 }

// genuine is [token.KeySet.Genuine] of whatever issuer: the session service has to
// accept it before it is believed.
func (p *published) genuine(raw string, known func(token.ID) bool) (token.Claims, error) {
	claims, err := p.set.Genuine(raw, known)
	if !errors.Is(err, token.ErrIssuer) {
		return claims, err
	}
	said, err := token.Unverified(raw)
	if err != nil {
		return token.Claims{}, err
	}
	return token.NewKeySet(said.Issuer, p.keys...).Genuine(raw, known)
}

// next is the number of the first fetch that begins after this.
func (k *keys) next() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.begun + 1
}

// from waits until the keys are those of the fetch with the number or of a later
// one, and fetches them if need be.
func (k *keys) from(ctx context.Context, number uint64) (*published, error) {
	for {
		p := k.current.Load()
		if p != nil && p.number >= number {
			return p, nil
		}
		if err := k.change(ctx, p, 0); err != nil {
			return nil, err
		}
	}
}

// newer returns other keys than these, for a token whose key is not among them.
func (k *keys) newer(ctx context.Context, than *published) (*published, error) {
	err := k.change(ctx, than, refetch)
	return k.current.Load(), err
}

// change waits for a fetch, unless the keys have changed from these already.
func (k *keys) change(ctx context.Context, from *published, pause time.Duration) error {
	f, err := k.underWay(from, pause)
	if f == nil {
		return err
	}
	return f.wait(ctx)
}

// underWay returns the fetch that is under way, or begins one, if none was begun
// for the time. There is none if the keys are others already: a fetch may have
// ended since the caller looked.
func (k *keys) underWay(than *published, pause time.Duration) (*fetching, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current.Load() != than {
		return nil, nil
	}
	if k.running != nil {
		return k.running, nil
	}
	if pause > 0 && time.Since(k.tried) < pause {
		return nil, errJustFetched
	}
	f := &fetching{number: k.begun + 1, done: make(chan struct{})}
	// Nobody's going away may end it for the others.
	if !k.spawn(func(life context.Context) { k.run(life, f) }) {
		return nil, errClosed
	}
	k.begun, k.running, k.tried = f.number, f, time.Now()
	return f, nil
}

var errJustFetched = errors.New("a key that is unknown, a moment after the keys were fetched")

func (f *fetching) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *keys) run(ctx context.Context, f *fetching) {
	list, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.err = err; err == nil {
		issuer := ""
		if p := k.current.Load(); p != nil {
			issuer = p.issuer
		}
		k.put(f.number, list, issuer)
	}
	k.running = nil
	close(f.done)
}

// accepted notes that the session service accepts tokens of the issuer.
func (k *keys) accepted(issuer string) {
	if k.current.Load().issuer == issuer {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.current.Load()
	k.put(p.number, p.keys, issuer)
}

func (k *keys) put(number uint64, list []*token.Key, issuer string) {
	k.current.Store(&published{number, list, issuer, token.NewKeySet(issuer, list...)})
}
