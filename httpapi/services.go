package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// Feed is what services follow; events.Hub is one.
type Feed interface {
	// Read returns what happened after a position, and waits for it.
	Read(ctx context.Context, after string, wait time.Duration, limit int) (session.Batch, error)
	// Reached reports whether this node answers as newly as a position, and waits a
	// moment for it.
	Reached(ctx context.Context, position string) (bool, error)
}

// services serves the calls of the platform's services, who show keys of their
// own. No rate limits them; whoever has no key is limited as any stranger is.
type services struct {
	service *session.Service
	feed    Feed
	held    held
}

func (s *services) routes() []route {
	const base = api.ServicePath
	return []route{
		{service, "GET", base + "/feed", s.authorised(s.follow), []string{"after", "wait"}, false, byHandler},
		{service, "POST", base + "/validate", s.authorised(s.validate), nil, false, byHandler},
		{service, "POST", base + "/reports", s.authorised(s.report), nil, false, byHandler},
	}
}

// authorised serves a call to a service whose key is good.
func (s *services) authorised(handle func(w http.ResponseWriter, r *http.Request, c call, id string) error) func(http.ResponseWriter, *http.Request, call) error {
	return func(w http.ResponseWriter, r *http.Request, c call) error {
		if c.apart {
			return errApart
		}
		who, err := s.service.Authorise(r.Context(), c.credential, session.FollowSessions)
		if err != nil {
			return err
		}
		c.count.charged = true // to nobody
		return handle(w, r, c, who.ID)
	}
}

// follow answers with what happened after a position. While it waits it takes no
// place among the requests in service.
func (s *services) follow(w http.ResponseWriter, r *http.Request, c call, id string) error {
	if err := readBody(w, r, &api.Empty{}, true); err != nil {
		return err
	}
	after, wait, err := feedQuery(r)
	if err != nil {
		return err
	}
	if wait > 0 {
		if !s.held.enter(id) {
			return refuse(http.StatusServiceUnavailable, api.Unavailable, "Too many requests of this service are waiting.")
		}
		defer s.held.leave(id)
		c.place.leave()
	}
	b, err := s.feed.Read(r.Context(), after, wait, api.MaxEvents)
	if err != nil {
		return err
	}
	if wait > 0 { // the key may have been revoked meanwhile
		if _, err := s.service.Authorise(r.Context(), c.credential, session.FollowSessions); err != nil {
			return err
		}
	}
	out := api.Feed{
		Position: b.Position, Gap: b.Gap, More: b.More, Events: each(b.Events, feedEvent),
		HeldMS: b.Held.Milliseconds(), AgeMS: (b.Age + time.Millisecond - 1).Milliseconds(),
	}
	writeData(w, http.StatusOK, &out)
	return nil
}

// feedQuery reads which part of the feed is asked for.
func feedQuery(r *http.Request) (after string, wait time.Duration, err error) {
	values := r.URL.Query()
	for name, list := range values {
		if len(list) > 1 {
			return "", 0, refuse(http.StatusBadRequest, api.InvalidRequest, name+" is given twice.")
		}
	}
	if values.Has("after") && values.Get("after") == "" {
		return "", 0, refuse(http.StatusBadRequest, api.InvalidRequest, "after is a position, or left out.")
	}
	if values.Has("wait") {
		n, err := strconv.ParseUint(values.Get("wait"), 10, 8)
		if err != nil || n > api.MaxWait {
			return "", 0, refuse(http.StatusBadRequest, api.InvalidRequest, "wait is whole seconds from 0 to 20.")
		}
		wait = time.Duration(n) * time.Second
	}
	return values.Get("after"), wait, nil
}

func feedEvent(e session.Event) api.FeedEvent {
	out := api.FeedEvent{Event: string(e.Kind)}
	switch e.Kind {
	case session.EventEnded:
		out.SessionID, out.Reason = e.SessionID.String(), string(e.Reason)
	case session.EventUpdated:
		out.SessionID, out.MinGen = e.SessionID.String(), e.MinGen
	}
	return out
}

// validate tells a service whether a token that it was shown is good.
func (s *services) validate(w http.ResponseWriter, r *http.Request, _ call, _ string) error {
	var in api.ServiceValidateRequest
	if err := readBody(w, r, &in, false); err != nil {
		return err
	}
	want := session.Requirement{Permissions: in.Permissions, MaxAge: -1}
	switch {
	case in.Token == "":
		return refuse(http.StatusBadRequest, api.InvalidRequest, "Send token.")
	case len(in.Permissions) > api.MaxPermissions:
		return refuse(http.StatusBadRequest, api.InvalidRequest, "Ask for at most 64 permissions.")
	case in.MaxAge != nil && (*in.MaxAge < 0 || *in.MaxAge >= 1<<31):
		return refuse(http.StatusBadRequest, api.InvalidRequest, "max_age is a number of seconds.")
	case in.MaxAge != nil:
		want.MaxAge = time.Duration(*in.MaxAge) * time.Second
	}
	if in.After != "" {
		switch ok, err := s.feed.Reached(r.Context(), in.After); {
		case err != nil:
			return err
		case !ok:
			return refuse(http.StatusServiceUnavailable, api.Unavailable, "This node has not read as far as that position."+wait)
		}
	}
	presence := session.Glance
	if in.Activity {
		presence = session.Personal
	}
	row, err := s.service.Validate(r.Context(), session.NewSecret(session.Header, in.Token), want, presence)
	if err != nil {
		return err
	}
	out := api.ServiceValidation{Validation: validation(s.service, &row), Generation: row.Generation, MinGen: row.MinGen}
	writeData(w, http.StatusOK, &out)
	return nil
}

// report takes in what a service saw of sessions.
func (s *services) report(w http.ResponseWriter, r *http.Request, _ call, _ string) error {
	var in api.Report
	if err := readUpTo(w, r, &in, false, api.MaxReport); err != nil {
		return err
	}
	if n := len(in.Seen); n < 1 || n > api.MaxSeen {
		return refuse(http.StatusBadRequest, api.InvalidRequest, "seen has 1 to 1000 entries.")
	}
	seen := make([]session.Sighting, len(in.Seen))
	for i, one := range in.Seen {
		id, err := token.ParseID(one.SessionID)
		if err != nil || one.Generation < 1 {
			return refuse(http.StatusBadRequest, api.InvalidRequest, "Each entry has the session_id and the generation of a token.")
		}
		seen[i] = session.Sighting{SessionID: id, Generation: one.Generation, Active: one.Active}
	}
	n, err := s.service.Report(r.Context(), seen)
	if err != nil {
		return err
	}
	writeData(w, http.StatusOK, &api.Reported{Accepted: n})
	return nil
}

// maxHeld bounds the waiting requests of one service.
const maxHeld = 2048

// held counts the waiting requests of each service.
type held struct {
	mu sync.Mutex
	of map[string]int
}

// enter reports whether one more may wait; then leave ends it.
func (h *held) enter(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[id] >= maxHeld {
		return false
	}
	if h.of == nil {
		h.of = map[string]int{}
	}
	h.of[id]++
	return true
}

func (h *held) leave(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[id]--; h.of[id] == 0 {
		delete(h.of, id)
	}
}
