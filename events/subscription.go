package events

import (
	"slices"
	"sync"
	"sync/atomic"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// subscriptionBuffer is how many events may wait for a subscriber.
const subscriptionBuffer = 4

// Subscription is somebody who listens for the events of one session.
type Subscription struct {
	all     *subscribers
	id      token.ID
	events  chan session.Event
	dropped atomic.Bool
}

// subscribers are all subscriptions, by their session.
type subscribers struct {
	mu     sync.Mutex
	of     map[token.ID][]*Subscription
	closed bool
}

// Subscribe listens for the events of a session that are committed from now on,
// but for its creation, and for [session.EventCut]: after one the subscriber
// asks the service whether its session still lives. Of a hub that has drained
// the subscription is closed.
func (h *Hub) Subscribe(id token.ID) *Subscription {
	s := &Subscription{all: &h.subscribers, id: id, events: make(chan session.Event, subscriptionBuffer)}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.all.closed {
		close(s.events)
		return s
	}
	s.all.of[id] = append(s.all.of[id], s)
	return s
}

// Events yields the events. It is closed when the subscription was dropped or
// closed, or the hub drains.
func (s *Subscription) Events() <-chan session.Event { return s.events }

// Dropped reports whether the subscriber was too slow, or the hub has missed
// events: it must begin anew. Nobody else was held up.
func (s *Subscription) Dropped() bool { return s.dropped.Load() }

// Close ends the subscription. Closing it again does nothing.
func (s *Subscription) Close() {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	list := s.all.of[s.id]
	i := slices.Index(list, s)
	if i < 0 {
		return
	}
	if len(list) == 1 {
		delete(s.all.of, s.id)
	} else {
		s.all.of[s.id] = slices.Delete(list, i, i+1)
	}
	close(s.events)
}

// tell offers an event to those whom it concerns.
func (s *subscribers) tell(e *session.Event) {
	if e.Kind == session.EventCreated {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Kind != session.EventCut {
		s.offer(e.SessionID, e)
		return
	}
	for id := range s.of {
		s.offer(id, e)
	}
}

// offer gives the event to the subscribers of a session, and drops those who
// have no room for it.
func (s *subscribers) offer(id token.ID, e *session.Event) {
	list := s.of[id]
	kept := list[:0]
	for _, one := range list {
		select {
		case one.events <- *e:
			kept = append(kept, one)
		default:
			one.drop()
		}
	}
	clear(list[len(kept):])
	if len(kept) > 0 {
		s.of[id] = kept
	} else if list != nil {
		delete(s.of, id)
	}
}

func (s *Subscription) drop() {
	s.dropped.Store(true)
	close(s.events)
}

// dropAll drops every subscription.
func (s *subscribers) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.of {
		for _, one := range list {
			one.drop()
		}
	}
	clear(s.of)
}

// closeAll closes every subscription, now and from now on.
func (s *subscribers) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, list := range s.of {
		for _, one := range list {
			close(one.events)
		}
	}
	clear(s.of)
}
