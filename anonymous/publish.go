package anonymous

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	session "github.com/mentalverse/session"
)

// plan is the group as it is changed next: ahead of what is shown until that is
// committed.
type plan struct {
	group  *Group
	newest *SignedSnapshot // of what is shown; nil before the first
	next   *SignedSnapshot // of what is planned
}

// errForeign tells an operator that the stored group is another service's.
var errForeign = errors.New("anonymous: the stored group was signed for another service id or epoch length, or under another master key: with these it would be another group, and its members other people")

// Recognise implements session.Group.
func (h *Host) Recognise(snapshot []byte) error {
	var s SignedSnapshot
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return err
	}
	return h.recognise(&s)
}

func (h *Host) recognise(s *SignedSnapshot) error {
	if s.Verify(h.Service, h.Key.Public().(ed25519.PublicKey)) != nil ||
		s.Epoch < h.Epochs.Epoch(s.CreatedAt) || s.Epoch > h.Epochs.Epoch(s.CreatedAt.Add(Coarse)) {
		return errForeign
	}
	return nil
}

// Load implements session.Group.
func (h *Host) Load(places iter.Seq2[session.Commitment, error], snapshots [][]byte) error {
	var window Window
	var newest *SignedSnapshot
	for _, b := range snapshots {
		s := new(SignedSnapshot)
		if err := json.Unmarshal(b, s); err != nil {
			return err
		}
		window, newest = append(window, s.Snapshot), s
	}
	if newest != nil {
		if err := h.recognise(newest); err != nil {
			return err
		}
	}
	var leaves []fr.Element
	for c, err := range places {
		if err != nil {
			return err
		}
		leaf, err := element(c)
		if err != nil {
			return err
		}
		leaves = append(leaves, leaf)
	}
	group, err := restoreGroup(leaves)
	if err != nil {
		return err
	}
	tree := group.Tree()
	if newest == nil {
		if tree.Size() > 0 {
			return errors.New("anonymous: members are stored without a snapshot")
		}
	} else if newest.Root != tree.Root() || newest.Size != tree.Size() {
		return fmt.Errorf("anonymous: the stored members do not make the root of snapshot %d", newest.Number)
	}
	h.plan = plan{group: group, newest: newest}
	h.show(window)
	return nil
}

// element reads a stored commitment.
func element(c session.Commitment) (e fr.Element, err error) {
	err = e.SetBytesCanonical(c[:])
	return e, err
}

// Plan implements session.Group. A batch enters in an order that says nothing
// of when its members asked. At the turn of an epoch all who wait enter, leave
// or replace: everyone has a new pseudonym then, so newcomers cannot be told
// by theirs.
func (h *Host) Plan(waiting []session.Member, now time.Time) (*session.Publication, error) {
	p := &h.plan
	turned := p.newest != nil && p.newest.Turned(h.Epochs, now)
	if !turned && !h.due(waiting, now) {
		return nil, nil
	}
	if turned && p.remaining(waiting) == 0 {
		return nil, nil // nobody to prove anything, and perhaps no root that may be signed
	}
	out := &session.Publication{First: p.group.Tree().Size()}
	rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	var enter []fr.Element
	for _, m := range waiting {
		full := p.group.Tree().Size()+len(enter) >= MaxMembers
		if m.Entered && !turned || full && (!m.Entered || m.Next != session.Commitment{}) {
			continue // who finds no place goes on waiting
		}
		if m.Entered {
			old, err := element(m.Current)
			if err != nil {
				return nil, err
			}
			place, err := p.group.Remove(old)
			if err != nil {
				return nil, err
			}
			out.Vacate = append(out.Vacate, place)
			m.Current, m.Next, m.Leaving = m.Next, session.Commitment{}, false
		}
		m.Entered, m.AskedAt = m.Current != session.Commitment{}, time.Time{}
		out.Members = append(out.Members, m)
		if m.Entered {
			c, err := element(m.Current)
			if err != nil {
				return nil, err
			}
			enter, out.Enter = append(enter, c), append(out.Enter, m.Current)
		}
	}
	if err := p.group.Add(enter...); err != nil {
		return nil, err
	}
	var last *Snapshot
	if p.newest != nil {
		last = &p.newest.Snapshot
	}
	signed, err := last.Next(h.Service, p.group.Tree(), h.Epochs, now).Sign(h.Service, h.Key)
	if err != nil {
		return nil, err
	}
	p.next = &signed
	out.Number = signed.Number
	out.Snapshot, err = json.Marshal(signed)
	return out, err
}

// remaining is how many members there are when all who wait are served.
func (p *plan) remaining(waiting []session.Member) int {
	n := p.group.Members()
	for _, m := range waiting {
		if !m.Entered {
			n++
		} else if m.Next == (session.Commitment{}) {
			n--
		}
	}
	return n
}

// due tells whether a batch may enter.
func (h *Host) due(waiting []session.Member, now time.Time) bool {
	if h.plan.group.Tree().Size() >= MaxMembers {
		return false
	}
	pending, oldest := 0, now
	for _, m := range waiting {
		if !m.Entered {
			pending++
			if m.AskedAt.Before(oldest) {
				oldest = m.AskedAt
			}
		}
	}
	if n := h.plan.newest; n != nil && now.Sub(n.CreatedAt) < h.Rules.Every && !n.CreatedAt.After(now) {
		return false
	}
	return h.Rules.Due(pending, oldest, now)
}

// Publish implements session.Group.
func (h *Host) Publish(*session.Publication) {
	h.plan.newest, h.plan.next = h.plan.next, nil
	window := Window{h.plan.newest.Snapshot}
	if p := h.shown.Load(); p != nil {
		window = append(append(Window{}, p.window...), window...).Trim(h.plan.newest.CreatedAt)
	}
	h.show(window)
}
