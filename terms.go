package session

import (
	"slices"
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
	last    uint32 // acquired
}

type countedTerms struct {
	terms
	set  Permissions
	uses int
}

// are reports whether the terms are a session's.
func (c *countedTerms) are(s *Session) bool {
	return c.kind == s.Type && c.chain == s.Subject.Account.Chain && c.channel == s.Channel && c.reporting == s.Reporting &&
		c.label == s.DeviceLabel && c.tokenLife == s.TokenLife && c.idleLife == s.IdleLife && slices.Equal(c.set, s.Permissions)
}

// acquire returns the number of a session's terms, which release gives back.
func (t *termsTable) acquire(s *Session) uint32 {
	if int(t.last) < len(t.list) && t.list[t.last].uses > 0 && t.list[t.last].are(s) { // as most have
		t.list[t.last].uses++
		return t.last
	}
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
	t.last = n
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
