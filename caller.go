package session

import (
	"context"
	"sync"
	"time"
)

// AddService makes a key for one of the platform's services, which is shown this
// once.
func (s *Service) AddService(ctx context.Context, name string, by Act) (Operator, string, error) {
	return s.addKey(ctx, servicePrefix, Operator{Name: name, Role: RoleService}, ActionServiceAdd, by)
}

// Services returns up to limit services behind the one with the id after, by
// their ids, revoked ones too.
func (s *Service) Services(ctx context.Context, after string, limit int) ([]Operator, error) {
	return s.holders(ctx, servicePrefix, after, limit)
}

// RevokeService takes a service's key away for ever. That it is taken away
// already is no error.
func (s *Service) RevokeService(ctx context.Context, id string, by Act) (Operator, error) {
	return s.revokeKey(ctx, servicePrefix, id, ActionServiceRevoke, by)
}

// callerKnown is how long a service's key is believed without asking the store:
// another node may have revoked it.
const callerKnown = time.Second

// callers are the services whose keys were looked at a moment ago. Services call
// all the time, and each would ask the store.
type callers struct {
	mu     sync.Mutex
	writes uint64 // how often all were forgotten
	known  map[string]caller
}

type caller struct {
	Operator
	read time.Time
}

func (c *callers) get(id string, now time.Time) (o Operator, ok bool, mark uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[id]
	age := now.Sub(known.read)
	return known.Operator, ok && age >= 0 && age < callerKnown, c.writes
}

// keep keeps what was read since the mark, unless something was written
// meanwhile.
func (c *callers) keep(o Operator, mark uint64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes != mark {
		return
	}
	if c.known == nil {
		c.known = map[string]caller{}
	}
	c.known[o.ID] = caller{o, now}
}

// forget forgets all.
func (c *callers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	c.known = nil
}

// operator returns who has an id: of a service, as it was up to a second ago.
func (s *Service) operator(ctx context.Context, id string) (Operator, error) {
	switch {
	case id == RootOperator:
		return Operator{ID: id, Name: "root", Role: RoleRoot, KeyHash: hashOperatorKey(id, s.keys.Derive("operator"))}, nil
	case !isKeyID(id, servicePrefix):
		return s.store.Operator(ctx, id)
	}
	now := s.now()
	o, ok, mark := s.callers.get(id, now)
	if ok {
		return o, nil
	}
	o, err := s.store.Operator(ctx, id)
	if err == nil {
		s.callers.keep(o, mark, now)
	}
	return o, err
}
