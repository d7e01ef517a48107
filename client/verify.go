package client

import (
	"context"
	"errors"
	"time"

	"github.com/mentalverse/session/token"
)

// maxAttempts bounds how often one call asks about a session that changes while it
// is asked about.
const maxAttempts = 4

// recognised is a token that its session service made, or, where nobody can tell
// here, one that says so.
type recognised struct {
	claims token.Claims // of a text seen before only what Genuine fills in
	opaque bool         // the claims are only said
	seen   bool         // its text is known to be genuine, and the claims are in part
	known  *followed    // its session, if that says enough of it; else nil
}

// open returns the live session that a token opens. begin is when the call began.
func (c *Client) open(ctx context.Context, raw string, begin time.Time, active bool) (*followed, token.Claims, error) {
	t := c.tags.of(raw)
	for range maxAttempts {
		sighted, err := c.sighted(ctx, begin)
		if err != nil {
			return nil, token.Claims{}, err
		}
		r, err := c.recognise(ctx, raw, t, begin)
		if err != nil {
			return nil, token.Claims{}, err
		}
		f := r.known
		switch {
		case f != nil && sighted:
			if refused := f.admit(&r.claims, begin); refused != nil {
				return nil, token.Claims{}, refused
			}
			c.saw(f, r.claims.Generation, active)
		case !r.opaque && r.claims.Check(begin) != nil:
			return nil, token.Claims{}, errTokenExpired
		default:
			claims := r.claims
			if r.seen {
				if claims, err = token.Unverified(raw); err != nil {
					return nil, token.Claims{}, errInvalid
				}
			}
			if f, err = c.learn(ctx, raw, question{claims: claims, tag: t, opaque: r.opaque, active: active}, begin); err != nil {
				return nil, token.Claims{}, err
			}
		}
		if f != nil {
			return f, r.claims, nil
		}
	}
	return nil, token.Claims{}, errRestless
}

// sighted reports whether what is remembered may answer. If not, the session
// service has to be asked, or it is an error.
func (c *Client) sighted(ctx context.Context, begin time.Time) (bool, error) {
	if c.feed.freshAt(begin) {
		return true, nil
	}
	select {
	case <-c.feed.started:
	case <-ctx.Done():
		return false, unavailable(ctx.Err())
	case <-c.life.Done():
	}
	switch {
	case c.life.Err() != nil:
		return false, errClosed
	case c.feed.freshAt(begin):
		return true, nil
	case c.blind == AskRemotely:
		return false, nil
	}
	return false, errBlind
}

// recognise reads a token and looks up its session.
func (c *Client) recognise(ctx context.Context, raw string, t tag, begin time.Time) (recognised, error) {
	p := c.keys.current.Load()
	if p == nil {
		var err error
		if p, err = c.keys.from(ctx, 1); err != nil {
			return recognised{}, unavailable(err)
		}
	}
	if p.opaque() {
		return c.recogniseOpaque(raw, t, begin)
	}
	r, err := c.recogniseWith(p, raw, t, begin)
	if errors.Is(err, token.ErrUnknownKey) {
		return c.recogniseNewer(ctx, p, raw, t, begin)
	}
	return r, refusedBy(err)
}

// recogniseNewer reads a token whose key is not among these. Only keys that are
// fetched from here on tell that there is none.
func (c *Client) recogniseNewer(ctx context.Context, p *published, raw string, t tag, begin time.Time) (r recognised, err error) {
	if _, err := token.Unverified(raw); err != nil {
		return recognised{}, errInvalid // no key would make it one
	}
	need := c.keys.next()
	for p.number < need {
		if p, err = c.keys.newer(ctx, p); err != nil {
			return recognised{}, unavailable(err)
		}
		if p.opaque() {
			return c.recogniseOpaque(raw, t, begin)
		}
		if r, err = c.recogniseWith(p, raw, t, begin); !errors.Is(err, token.ErrUnknownKey) {
			break
		}
	}
	return r, refusedBy(err)
}

// refusedBy is what a token is refused with that is not genuine.
func refusedBy(err error) error {
	if err == nil {
		return nil
	}
	return errInvalid
}

func (c *Client) recogniseWith(p *published, raw string, t tag, begin time.Time) (r recognised, err error) {
	var f *followed
	seen := false
	r.claims, err = p.genuine(raw, func(id token.ID) bool {
		f = c.cache.find(id)
		seen = f != nil && f.genuine.has(t)
		return seen
	})
	r.seen = seen
	if err != nil || f == nil || !seen && !f.continues(&r.claims) || f.over(begin) {
		return r, err
	}
	if !seen {
		f.genuine.add(t)
	}
	r.known = f
	return r, nil
}

// recogniseOpaque knows only the texts that the session service has accepted.
func (c *Client) recogniseOpaque(raw string, t tag, begin time.Time) (recognised, error) {
	claims, err := token.Unverified(raw)
	if err != nil {
		return recognised{}, errInvalid
	}
	r := recognised{claims: claims, opaque: true}
	if f := c.cache.find(claims.SessionID); f != nil && f.genuine.has(t) && !f.over(begin) {
		r.known = f
	}
	return r, nil
}

// learn asks the session service about a token. Without session and error, ask
// again: something happened to the session meanwhile, or another token of it was
// asked about.
func (c *Client) learn(ctx context.Context, raw string, q question, begin time.Time) (*followed, error) {
	asked, err := c.inquire(raw, q)
	if err != nil {
		return nil, err
	}
	select {
	case <-asked.done:
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
	mine := asked.tag == q.tag
	switch f := asked.found; {
	case asked.err != nil && (mine || errors.Is(asked.err, ErrUnavailable)):
		return nil, asked.err
	case f == nil, !mine && !f.continues(&q.claims):
		return nil, nil
	default:
		if refused := f.admit(&q.claims, begin); refused != nil {
			return nil, refused
		}
		f.genuine.add(q.tag)
		c.saw(f, q.claims.Generation, q.active && !asked.active)
		return f, nil
	}
}

// saw notes that a token was used, and whether by its person, for the session
// service.
func (c *Client) saw(f *followed, generation uint32, active bool) {
	if raise(&f.reported, generation) {
		c.news.add(sighting{f, generation})
	}
	if active && !f.active.Load() && f.active.CompareAndSwap(false, true) {
		c.presence.add(sighting{f, generation})
	}
}
