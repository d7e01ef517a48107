package httpapi

import "sync/atomic"

// shed bounds the requests in service at once. What comes above the bound is
// answered 503 at once: work that waits behind more than the machine can do is
// answered too late for its caller, who has asked again meanwhile, and so an
// overload feeds itself (security checklist REF-09, REL-08).
//
// Ending a session and the health checks have places of their own above the
// bound: a person can end even then, and a supervisor does not restart a
// program that is only busy.
type shed struct {
	bound, reserve int64
	inService      atomic.Int64
}

// newShed returns nil, which sheds nothing, for a bound of 0.
func newShed(bound int) *shed {
	if bound <= 0 {
		return nil
	}
	return &shed{bound: int64(bound), reserve: max(16, int64(bound)/16)}
}

// enter takes a place and reports whether there was one; then leave gives it
// back.
func (s *shed) enter(reserved bool) bool {
	if s == nil {
		return true
	}
	most := s.bound
	if reserved {
		most += s.reserve
	}
	if s.inService.Add(1) > most {
		s.inService.Add(-1)
		return false
	}
	return true
}

func (s *shed) leave() {
	if s != nil {
		s.inService.Add(-1)
	}
}

// place is a request's among those in service. A handler that only waits gives
// it back before.
type place struct{ shed *shed }

func (p *place) leave() {
	p.shed.leave()
	p.shed = nil
}
