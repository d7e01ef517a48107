package httpapi

import (
	"sync"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// board tells sockets what the service commits, in the place of the hub.
type board struct {
	mu   sync.Mutex
	subs map[*pinned]bool
	deaf bool // nothing is told
}

func newBoard() *board { return &board{subs: map[*pinned]bool{}} }

// pinned is a subscription.
type pinned struct {
	board   *board
	id      token.ID
	events  chan session.Event
	dropped bool
}

func (b *board) subscribe(id token.ID) Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &pinned{board: b, id: id, events: make(chan session.Event, 4)}
	b.subs[p] = true
	return p
}

// Alarm implements session.Observer.
func (b *board) Alarm(string) {}

// Event implements session.Observer.
func (b *board) Event(e session.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.subs {
		if b.deaf || p.id != e.SessionID && e.Kind != session.EventCut {
			continue
		}
		select {
		case p.events <- e:
		default:
			p.dropped = true
			b.drop(p)
		}
	}
}

func (b *board) drop(p *pinned) {
	if b.subs[p] {
		delete(b.subs, p)
		close(p.events)
	}
}

func (b *board) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subs)
}

// hush makes the board tell nothing from now on.
func (b *board) hush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deaf = true
}

func (p *pinned) Events() <-chan session.Event { return p.events }

func (p *pinned) Dropped() bool {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	return p.dropped
}

func (p *pinned) Close() {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	p.board.drop(p)
}
