package client

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/token"
)

// Client checks sessions. It is safe for concurrent use.
type Client struct {
	remote    *remote
	keys      keys
	cache     *cache
	feed      feed
	news      reports // generations that were seen
	presence  reports // people who were there
	tags      tagKey
	turns     chan struct{}
	blind     Blindness
	sensitive []string
	log       *slog.Logger
	asks      atomic.Uint64

	mu     sync.Mutex // of what stands below
	life   context.Context
	end    context.CancelFunc
	closed bool
	wg     sync.WaitGroup
}

// New returns a client of the session service at the address, such as
// https://sessions.example, for a service whose key `sessiond services add` gave
// out. It returns at once and follows the feed from then on; [Client.Ready] tells
// when it is heard. The address is https://, or on this machine. Close it when
// done.
func New(url, key string, opts ...Option) (*Client, error) {
	s := defaults()
	for _, o := range opts {
		o(&s)
	}
	r, err := newRemote(url, key, s)
	if err != nil {
		return nil, err
	}
	c := &Client{
		remote: r, cache: newCache(s.entries), turns: make(chan struct{}, maxQuestions),
		blind: s.blind, sensitive: s.sensitive, log: s.log,
	}
	rand.Read(c.tags[:])
	c.life, c.end = context.WithCancel(context.Background())
	c.keys.fetch, c.keys.spawn = r.jwks, c.spawn
	c.feed = feed{
		ask: r.feed, keys: &c.keys, cache: c.cache, log: s.log, running: map[token.ID][]*question{},
		started: make(chan struct{}), ready: make(chan struct{}),
	}
	c.news = newReports(kindNews, newsDelay, r.report, s.log)
	c.presence = newReports(kindPresence, presenceDelay, r.report, s.log)
	c.spawn(c.feed.run)
	c.spawn(c.news.run)
	c.spawn(c.presence.run)
	return c, nil
}

// spawn runs a part of the client until it ends, and is false once it is closed.
func (c *Client) spawn(part func(life context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.wg.Go(func() { part(c.life) })
	return true
}

// Close ends what the client does by itself and waits for it, a few seconds at
// most: reports under way are sent. Verify then answers unavailable.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.wg.Wait()
	c.feed.fresh.Store(nil)
	c.remote.close()
	return nil
}

// Ready waits until the feed was heard for the first time and the keys are here:
// for a check of readiness. It fails with the context, and when the client is
// closed.
func (c *Client) Ready(ctx context.Context) error {
	select {
	case <-c.feed.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.life.Done():
		return errClosed
	}
}

// Stats are a client's counts since it was made.
type Stats struct {
	Sessions       int    // that are remembered now
	Asked          uint64 // questions to the session service about one token
	FeedFailures   uint64 // requests of the feed that came to nothing
	ReportsDropped uint64 // sightings that were never told
}

// Stats returns the counts.
func (c *Client) Stats() Stats {
	return Stats{
		Sessions: c.cache.len(), Asked: c.asks.Load(), FeedFailures: c.feed.failed.Load(),
		ReportsDropped: c.news.dropped.Load() + c.presence.dropped.Load(),
	}
}

// Fresh reports whether Verify may answer from memory now: false is blind.
func (c *Client) Fresh() bool { return c.feed.freshAt(time.Now()) }

// Verify says whose session the token opens now, if it opens one that meets the
// conditions. Every error is an [Error]: ErrExpired and ErrInvalid of the token,
// ErrPermissionDenied and ErrReauthentication of the conditions, and ErrUnavailable
// if it is not known, which is neither valid nor a reason to sign in again. A valid
// session counts as used by its person unless [Background] is among the conditions.
func (c *Client) Verify(ctx context.Context, raw string, conditions ...Condition) (Session, error) {
	begin := time.Now()
	active := !isBackground(conditions)
	f, claims, err := c.open(ctx, raw, begin, active)
	if err != nil {
		return Session{}, err
	}
	if refused := c.met(conditions, &f.session, begin); refused != nil {
		return Session{}, refused
	}
	s := f.session
	s.ExpiresAt = claims.ExpiresAt
	return s, nil
}
