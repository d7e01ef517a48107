package events

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// Source is what a hub follows.
type Source interface {
	// Events and NewestEvent are the store's.
	Events(ctx context.Context, anonymous bool, after uint64, limit int) ([]session.StoredEvent, error)
	NewestEvent(ctx context.Context, anonymous bool) (session.StoredEvent, error)
	// Follow is told of all events before anybody else is: when it has returned,
	// this node answers as they say.
	Follow(ctx context.Context, events []session.StoredEvent) error
	// JWKS are the published keys.
	JWKS() []byte
}

// Options are what a hub needs besides its source.
type Options struct {
	Key   [32]byte // under which positions are sealed; every node of a service has the same
	Epoch uint32   // the restore epoch
	Log   *slog.Logger
}

// The hub's own rhythms and bounds.
const (
	lookEvery   = time.Second            // without being woken
	lookApart   = 2 * time.Millisecond   // between two looks at the least
	lookPerTold = 100 * time.Microsecond // and for each who was told: else answering many would be all that is done
	lookBehind  = 250 * time.Millisecond // but not more
	lookTimeout = 5 * time.Second        // of one
	lookAtOnce  = 1000                   // events of each log
	fresh       = 50 * time.Millisecond
	silence     = 5 * time.Second // without a look that succeeded, until nothing is answered
	remembered  = 1 << 16         // marks, and told events, of each log
)

// The two logs of a store.
const (
	named     = 0
	anonymous = 1
)

// Hub follows the logs. Its methods are safe for concurrent use.
type Hub struct {
	source Source
	seal   cipher.AEAD
	epoch  uint32
	log    *slog.Logger
	woken  chan struct{}
	reads  chan struct{} // places of those who read the store themselves
	woke   int64         // who waited when there was something to tell in the last look; of Run

	waiting atomic.Int64 // who waits

	mu      sync.RWMutex
	logs    [2]recent
	keys    keyMark
	head    string        // the sealed position of what was read last
	readAt  time.Time     // when the last look began that found the logs' ends
	news    chan struct{} // closed when there is something to tell
	looked  chan struct{} // closed after each look
	drained chan struct{} // closed when nobody may wait any more

	subscribers subscribers
}

// keyMark stands for a set of published keys.
type keyMark [4]byte

func markKeys(jwks []byte) keyMark {
	sum := sha256.Sum256(jwks)
	return keyMark(sum[:])
}

// New returns a hub that begins at the present ends of the logs.
func New(ctx context.Context, source Source, o Options) (*Hub, error) {
	seal, err := newSeal(o.Key)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hub{
		source: source, seal: seal, epoch: o.Epoch, log: o.Log,
		woken: make(chan struct{}, 1), reads: make(chan struct{}, readersAtOnce),
		news: make(chan struct{}), looked: make(chan struct{}), drained: make(chan struct{}),
		subscribers: subscribers{of: map[token.ID][]*Subscription{}},
	}
	began := time.Now()
	if err := h.begin(ctx, began); err != nil {
		return nil, err
	}
	h.readAt, h.keys = began, markKeys(source.JWKS())
	h.head = h.sealed(h.position())
	return h, nil
}

// begin puts the hub at the ends of the logs, and forgets what was before. If it
// fails nothing has changed.
func (h *Hub) begin(ctx context.Context, now time.Time) error {
	var logs [2]recent
	for i := range logs {
		newest, err := h.source.NewestEvent(ctx, i == anonymous)
		switch {
		case errors.Is(err, session.ErrNotFound):
			logs[i] = newRecent(point{}, now)
		case err != nil:
			return err
		default:
			logs[i] = newRecent(pointOf(&newest), now)
		}
	}
	h.logs = logs
	return nil
}

// Wake tells the hub that something was committed. It never blocks.
func (h *Hub) Wake() {
	select {
	case h.woken <- struct{}{}:
	default:
	}
}

// Run follows the logs until ctx ends: when it is woken, and every second
// anyway. Then all subscriptions are closed and nobody waits any more.
func (h *Hub) Run(ctx context.Context) error {
	defer h.Drain()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failed := false
	for {
		more, err := h.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failed:
			h.log.Error("the event log could not be read; it will be tried again", "error", err)
		}
		failed = err != nil
		if err == nil && more {
			continue
		}
		if !h.rest(ctx, tick.C, failed) {
			return nil
		}
	}
}

// rest waits until there is a reason to look again, and is false when ctx ends.
// While the store fails, it is asked once a tick only.
func (h *Hub) rest(ctx context.Context, tick <-chan time.Time, failed bool) bool {
	apart := time.NewTimer(min(max(lookApart, time.Duration(h.woke)*lookPerTold), lookBehind))
	defer apart.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-apart.C:
	}
	woken := h.woken
	if failed {
		woken = nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-woken:
	case <-tick:
	}
	return true
}

// look reads what is new in both logs and tells it. more is true if there was
// more than one look takes.
func (h *Hub) look(ctx context.Context) (more bool, err error) {
	defer h.endLook()
	h.woke = 0
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	began := time.Now()
	keys := markKeys(h.source.JWKS())
	var found [2][]session.StoredEvent
	for i := range h.logs {
		// The last event that was read is read again: if neither it nor the next is
		// there, events were swept that nobody here has seen.
		head := h.logs[i].head // only this goroutine changes it
		list, err := h.source.Events(ctx, i == anonymous, max(head.at, 1)-1, lookAtOnce+1)
		if err != nil {
			return false, err
		}
		if len(list) == 0 || list[0].Position != head.at+1 { // else it was swept, and nothing else
			if list, err = follows(head, list); err != nil {
				return false, h.beginAnew(ctx, began, keys)
			}
		} else if list, err = consecutive(head.at, list); err != nil {
			return false, h.beginAnew(ctx, began, keys)
		}
		found[i] = list
		more = more || len(list) >= lookAtOnce
	}
	for _, list := range found {
		if len(list) > 0 {
			if err := h.source.Follow(ctx, list); err != nil {
				return false, err
			}
		}
	}
	h.tell(found, keys, began, more)
	return more, nil
}

// errHole tells of events that were swept, or of another log.
var errHole = errors.New("events: the log does not go on from here")

// follows returns those of a list read from a point on that come after it. The
// list begins with the point itself, unless that is the beginning of all.
func follows(from point, list []session.StoredEvent) ([]session.StoredEvent, error) {
	if from.at > 0 {
		if len(list) == 0 || pointOf(&list[0]) != from {
			return nil, errHole
		}
		list = list[1:]
	}
	return consecutive(from.at, list)
}

// consecutive returns the list if it goes on from a position without a hole.
func consecutive(from uint64, list []session.StoredEvent) ([]session.StoredEvent, error) {
	for i := range list {
		if list[i].Position != from+1+uint64(i) {
			return nil, errHole
		}
	}
	return list, nil
}

// tell remembers what was found, and wakes those whom it concerns.
func (h *Hub) tell(found [2][]session.StoredEvent, keys keyMark, began time.Time, more bool) {
	h.mu.Lock()
	news := keys != h.keys
	h.keys = keys
	for i, list := range found {
		for j := range list {
			if h.logs[i].add(&list[j], began) {
				news = true
			}
		}
	}
	h.logs[anonymous].forget(began.Add(-session.AnonymousEventsKept))
	if !more {
		h.readAt = began
	}
	h.head = h.sealed(h.position())
	if news {
		h.woke = h.waiting.Load()
		close(h.news)
		h.news = make(chan struct{})
	}
	h.mu.Unlock()
	for _, list := range found {
		for i := range list {
			h.subscribers.tell(&list[i].Event)
		}
	}
}

// beginAnew is for when events were missed: every position is a gap from now on,
// and every subscriber must look anew.
func (h *Hub) beginAnew(ctx context.Context, began time.Time, keys keyMark) error {
	h.log.Warn("events were missed: those who follow begin anew")
	missed := session.StoredEvent{Event: session.Event{Kind: session.EventCut, At: began}}
	if err := h.source.Follow(ctx, []session.StoredEvent{missed}); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.begin(ctx, began); err != nil {
		return fmt.Errorf("beginning anew: %w", err)
	}
	h.keys, h.readAt = keys, began
	h.head = h.sealed(h.position())
	close(h.news)
	h.news = make(chan struct{})
	h.subscribers.dropAll()
	return nil
}

func (h *Hub) endLook() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.looked)
	h.looked = make(chan struct{})
}

// Drain ends all waiting, now and from now on, and closes the subscriptions: the
// server is about to stop.
func (h *Hub) Drain() {
	h.mu.Lock()
	select {
	case <-h.drained:
	default:
		close(h.drained)
	}
	h.mu.Unlock()
	h.subscribers.closeAll()
}

// position is where the hub has read to. The caller holds mu.
func (h *Hub) position() position {
	return position{epoch: h.epoch, at: [2]point{h.logs[named].head, h.logs[anonymous].head}, keys: h.keys}
}
