package client

import (
	"context"
	"slices"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// maxQuestions bounds what is asked of the session service at the same time.
const maxQuestions = 256

// joinTime is how long after its beginning others may join a question: what they
// are told is then never older than that, and the time of one call.
const joinTime = time.Second

// question is one that is asked about a session, for everybody who wants to know.
type question struct {
	claims token.Claims
	tag    tag
	opaque bool // the claims are only said
	active bool // tells that the person is here
	after  string
	began  time.Time
	done   chan struct{}

	// Under the feed's mutex: what was heard since it began.
	ended     *Error
	overtaken bool

	// Set before done is closed. None of the two: ask again.
	found *followed
	err   error
}

// inquire joins a question about the session, or asks one.
func (c *Client) inquire(raw string, q question) (*question, error) {
	f := &c.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	q.began = time.Now()
	for _, other := range f.running[q.claims.SessionID] {
		// Of a text that is not known to be genuine only its own answer counts.
		same := other.tag == q.tag || !other.opaque && !q.opaque
		if same && !other.overtaken && other.ended == nil && q.began.Sub(other.began) < joinTime {
			return other, nil
		}
	}
	q.done = make(chan struct{})
	if f.freshAt(q.began) { // else the position may be of a store that is no more
		q.after = f.position
	}
	mine := &q
	if !c.spawn(func(life context.Context) { c.asked(life, raw, mine) }) {
		return nil, errClosed
	}
	f.running[q.claims.SessionID] = append(f.running[q.claims.SessionID], mine)
	return mine, nil
}

// asked asks the question, and remembers the answer if nothing was heard meanwhile
// that it may not know of.
func (c *Client) asked(life context.Context, raw string, q *question) {
	v, err := c.inTurn(life, raw, q)
	f := &c.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	defer close(q.done)
	f.retire(q)
	switch {
	case err != nil:
		q.err = err
		return
	case q.ended != nil:
		q.err = q.ended
		return
	case q.overtaken:
		return
	}
	found, err := newFollowed(q.claims, q.tag, v)
	if err != nil {
		q.err = unavailable(err)
		return
	}
	q.found = found
	if !q.opaque {
		c.keys.accepted(q.claims.Issuer)
	}
	if q.after == "" {
		return // what ends it might not have been heard
	}
	if old := c.cache.find(found.id); old != nil {
		found.genuine.take(&old.genuine)
	}
	c.cache.put(found)
}

// inTurn asks when it is this question's turn.
func (c *Client) inTurn(life context.Context, raw string, q *question) (*api.ServiceValidation, error) {
	ctx, cancel := context.WithTimeout(life, callTime)
	defer cancel()
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
	c.asks.Add(1)
	return c.remote.validate(ctx, raw, q.after, q.active)
}

func (f *feed) retire(q *question) {
	id := q.claims.SessionID
	list := slices.DeleteFunc(f.running[id], func(other *question) bool { return other == q })
	if f.running[id] = list; len(list) == 0 {
		delete(f.running, id)
	}
}
