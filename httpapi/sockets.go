package httpapi

import (
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// Subscription is what a socket hears of its session.
type Subscription interface {
	// Events yields the session's events, and every cut. It is closed when the
	// subscription was dropped, or nobody tells events any more.
	Events() <-chan session.Event
	// Dropped reports whether events came faster than they were taken.
	Dropped() bool
	Close()
}

// SocketOptions are what [Sockets] stand on. A bound of 0 bounds nothing.
type SocketOptions struct {
	Subscribe  func(token.ID) Subscription
	Most       int // sockets open at once
	PerSession int
	PerAddress int // where [Options] has Limits
	Log        *slog.Logger
}

// Sockets are the sockets that are open. They are no requests any more: they
// take no place of those in service, and the server that accepted them does not
// wait for them. Whoever stops it calls Shutdown.
type Sockets struct {
	opts  SocketOptions
	seed  maphash.Seed
	going chan struct{} // closed when the server stops

	mu        sync.Mutex
	stopping  bool
	seats     int
	open      map[*socket]struct{}
	bySession map[token.ID]int
	byAddress map[uint64]int // by a keyed hash
	running   sync.WaitGroup
}

// NewSockets returns a set without any.
func NewSockets(o SocketOptions) *Sockets {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Sockets{
		opts: o, seed: maphash.MakeSeed(), going: make(chan struct{}),
		open: map[*socket]struct{}{}, bySession: map[token.ID]int{}, byAddress: map[uint64]int{},
	}
}

// Open returns how many are open.
func (s *Sockets) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Shutdown closes every socket with 1001 at once, and returns when all are
// closed: after hangUpWait at the latest, whatever their clients do. New ones are
// refused from then on.
func (s *Sockets) Shutdown() {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		close(s.going)
	}
	s.mu.Unlock()
	kill := time.AfterFunc(hangUpWait, s.kill)
	defer kill.Stop()
	s.running.Wait()
}

// kill breaks every connection.
func (s *Sockets) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.open {
		one.wire.Close()
	}
}

// seat is what a socket counts for. The address is 0 where none is counted.
type seat struct {
	session token.ID
	address uint64
}

// The refusals of those for whom there is no seat, by the name of the limit.
var (
	errSocketsOfSession = refuse(http.StatusTooManyRequests, api.RateLimited, "This session has as many sockets open as it may. Close one."+wait)
	errSocketsOfAddress = refuse(http.StatusTooManyRequests, api.RateLimited, "Too many sockets are open from this network."+wait)
	errSockets          = refuse(http.StatusServiceUnavailable, api.Unavailable, "The service has as many sockets open as it may."+wait)
	errStopping         = refuse(http.StatusServiceUnavailable, api.Unavailable, "The service stops."+wait)
)

// enter takes a seat, which leave gives back. Otherwise it returns the name of
// the limit that was reached, and the refusal.
func (s *Sockets) enter(p seat) (limit string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := func(n, most int) bool { return most > 0 && n >= most }
	switch {
	case s.stopping:
		return "", errStopping
	case over(s.seats, s.opts.Most):
		return "sockets", errSockets
	case over(s.bySession[p.session], s.opts.PerSession):
		return "sockets_session", errSocketsOfSession
	case p.address != 0 && over(s.byAddress[p.address], s.opts.PerAddress):
		return "sockets_address", errSocketsOfAddress
	}
	s.seats++
	s.bySession[p.session]++
	if p.address != 0 {
		s.byAddress[p.address]++
	}
	s.running.Add(1)
	return "", nil
}

func (s *Sockets) leave(p seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seats--
	release(s.bySession, p.session)
	release(s.byAddress, p.address)
	s.running.Done()
}

// release counts one less, and forgets what is not counted any more.
func release[K comparable](counts map[K]int, k K) {
	if counts[k]--; counts[k] <= 0 {
		delete(counts, k)
	}
}

func (s *Sockets) add(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[one] = struct{}{}
}

func (s *Sockets) remove(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, one)
}

// addressOf is what a request's address is counted by, which says nothing of it
// to anybody else. 0 where addresses are not counted.
func (s *Sockets) addressOf(l *limits, r *http.Request) uint64 {
	if l == nil || s.opts.PerAddress <= 0 {
		return 0
	}
	return max(1, maphash.Comparable(s.seed, l.addressKey(r)))
}
