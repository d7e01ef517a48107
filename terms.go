package session

import (
	"strings"
	"time"
)

// terms is what a session has in common with many others.
type terms struct {
	kind                Type
	chain               Chain
	channel             Channel
	reporting           bool
	label               string
	permissions         string // joined by spaces
	tokenLife, idleLife time.Duration
}

func termsOf(s *Session) terms {
	return terms{
		kind: s.Type, chain: s.Subject.Account.Chain, channel: s.Channel, reporting: s.Reporting, label: s.DeviceLabel,
		permissions: strings.Join(s.Permissions, " "), tokenLife: s.TokenLife, idleLife: s.IdleLife,
	}
}

// termsTable keeps each terms once, for as long as a session has them. It
// belongs to one goroutine at a time.
type termsTable struct {
	numbers map[terms]uint32
	list    []countedTerms
	free    []uint32
}

type countedTerms struct {
	terms
	set  Permissions
	uses int
}

// acquire returns the number of a session's terms, which release gives back.
func (t *termsTable) acquire(s *Session) uint32 {
	key := termsOf(s)
	n, ok := t.numbers[key]
	switch {
	case ok:
	case len(t.free) > 0:
		n, t.free = t.free[len(t.free)-1], t.free[:len(t.free)-1]
	default:
		n = uint32(len(t.list))
		t.list = append(t.list, countedTerms{})
	}
	if !ok {
		if t.numbers == nil {
			t.numbers = map[terms]uint32{}
		}
		t.numbers[key], t.list[n] = n, countedTerms{terms: key, set: s.Permissions}
	}
	t.list[n].uses++
	return n
}

func (t *termsTable) release(n uint32) {
	c := &t.list[n]
	if c.uses--; c.uses == 0 {
		delete(t.numbers, c.terms)
		*c = countedTerms{}
		t.free = append(t.free, n)
	}
}

// fill puts the terms into a session.
func (t *termsTable) fill(n uint32, s *Session) {
	c := &t.list[n]
	s.Type, s.Subject.Account.Chain, s.Channel, s.Reporting = c.kind, c.chain, c.channel, c.reporting
	s.DeviceLabel, s.Permissions, s.TokenLife, s.IdleLife = c.label, c.set, c.tokenLife, c.idleLife
}
