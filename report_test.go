package session_test

import (
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/token"
)

// saw is a report of one sighting, and whether it counted.
func (h *house) saw(id token.ID, generation uint32, active bool) bool {
	h.t.Helper()
	n, err := h.Report(h.t.Context(), []session.Sighting{{SessionID: id, Generation: generation, Active: active}})
	if err != nil {
		h.t.Fatal(err)
	}
	return n == 1
}

// A generation that a service saw in use is in use, as if its token had been
// shown here: the one before opens no successor again, and comes back as theft.
func TestAReportedGenerationIsInUse(t *testing.T) {
	for _, reported := range []bool{false, true} {
		h := newHouse(t)
		first := h.signIn(session.CreateRequest{})
		second, err := h.Refresh(t.Context(), first.RefreshToken, "")
		if err != nil {
			t.Fatal(err)
		}
		if reported && !h.saw(second.Session.ID, 2, false) {
			t.Error("the sighting does not count")
		}
		h.clock.Advance(time.Minute) // the grace is over
		_, err = h.Refresh(t.Context(), first.RefreshToken, "")
		if reported {
			wantCode(t, err, session.CodeRefreshSuperseded)
		} else if err != nil {
			t.Errorf("nobody has seen the successor: %v", err)
		}
	}
}

// A sighting of what nobody can have moves nothing.
func TestAReportOfWhatCannotBeMovesNothing(t *testing.T) {
	h := newHouse(t)
	first := h.signIn(session.CreateRequest{})
	id := first.Session.ID
	for _, generation := range []uint32{0, 2, 3, 1 << 31, 1<<32 - 1} {
		if h.saw(id, generation, true) {
			t.Errorf("generation %d of 1 counts", generation)
		}
	}
	if h.saw(token.NewID(token.Standard, start), 1, true) {
		t.Error("an unknown session counts")
	}
	second, err := h.Refresh(t.Context(), first.RefreshToken, "")
	if err != nil {
		t.Fatal(err)
	}
	// Nothing was seen of generation 2, so its predecessor's answer may have been lost.
	h.clock.Advance(time.Minute)
	if _, err := h.Refresh(t.Context(), first.RefreshToken, ""); err != nil {
		t.Errorf("a lie moved the generation in use: %v", err)
	}
	narrow, err := h.Amend(t.Context(), second.SessionToken, session.AmendRequest{Permissions: []string{"read:profile"}})
	if err != nil {
		t.Fatal(err)
	}
	if h.saw(id, narrow.Session.Generation-1, true) {
		t.Error("a generation that died counts")
	}
	if err := h.End(t.Context(), narrow.SessionToken, id, ""); err != nil {
		t.Fatal(err)
	}
	if h.saw(id, narrow.Session.Generation, true) {
		t.Error("an ended session counts")
	}
	other := h.signIn(session.CreateRequest{})
	h.clock.Advance(25 * time.Hour)
	if h.saw(other.Session.ID, 1, true) {
		t.Error("a session past its end counts")
	}
}

// Somebody who acts at a service is there, unless their client reports that
// itself; who is only seen is not.
func TestAReportOfActivityKeepsASessionAlive(t *testing.T) {
	for _, c := range []struct {
		name              string
		reporting, active bool
		lives             bool
	}{
		{"acts", false, true, true},
		{"is seen", false, false, false},
		{"acts, and the client reports", true, true, false},
	} {
		h := newHouse(t)
		h.register(start.AddDate(1, 0, 0))
		// A professional session idles out whatever its token says.
		s, err := h.Create(t.Context(), session.CreateRequest{Type: session.Professional, Credential: h.credential(session.Professional), Reporting: c.reporting})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			h.clock.Advance(20 * time.Minute)
			if !h.saw(s.Session.ID, 1, c.active) {
				break
			}
		}
		_, err = h.Validate(t.Context(), s.SessionToken, anything, session.Glance)
		if c.lives != (err == nil) {
			t.Errorf("somebody who %s: %v", c.name, err)
		}
	}
}

// A report may be sent again, and must be when the store could not answer.
func TestAReportMayBeSentAgain(t *testing.T) {
	h := newHouse(t)
	faulty := &sessiontest.FaultyStore{Store: h.store}
	h.config.Store = faulty
	h.open()
	s := h.signIn(session.CreateRequest{})
	known := session.Sighting{SessionID: s.Session.ID, Generation: 1, Active: true}
	unknown := session.Sighting{SessionID: token.NewID(token.Standard, start), Generation: 1}
	faulty.Be(sessiontest.Fails)
	_, err := h.Report(t.Context(), []session.Sighting{known, unknown})
	wantCode(t, err, session.CodeUnavailable)
	faulty.Be(sessiontest.NoFault)
	for range 2 {
		if n, err := h.Report(t.Context(), []session.Sighting{known, known, unknown}); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
	}
}
