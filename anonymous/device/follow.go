package device

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
)

const (
	maxRounds  = 3    // in which the group may move on while it is followed
	maxAnswers = 1000 // of the chain in one go
	maxEntries = 1000 // in one answer
)

// group is a group that grew out of what was known of it.
type group struct {
	state
	pageRoots []fr.Element
}

// chain brings what is known of the group's history up to now, and keeps its
// head.
func (d *Device) chain(ctx context.Context) (state, error) {
	d.Progress(Following, 0, 0)
	known, err := d.load()
	if err != nil {
		return state{}, err
	}
	var was *Pins
	var head *anonymous.SignedSnapshot
	if known != nil {
		was, head = &known.pins, known.head
	}
	path := "/anonymous/roots"
	if head != nil { // its own number would tell when this device was last here
		path = after(head.Number / maxEntries * maxEntries)
	}
	var list []anonymous.SignedSnapshot // not yet followed: it must reach the head
	for range maxAnswers {
		more, err := ask[roots](ctx, d, d.unnamed, call{method: "GET", path: path, limit: maxList})
		if err != nil {
			return state{}, err
		}
		if len(more.Roots) > maxEntries {
			return state{}, fmt.Errorf("%w: a list of %d snapshots", ErrAnswer, len(more.Roots))
		}
		pins, err := d.checkPins(was, more.ServiceID, more.EpochLength, more.Key)
		if err != nil {
			return state{}, err
		}
		was = &pins
		list = append(list, more.Roots...)
		done := len(more.Roots) == 0
		if n := len(list); done || head == nil || list[n-1].Number >= head.Number {
			chain := anonymous.NewChain(pins.Service, pins.Key, head)
			if err := chain.Extend(list, d.Now()); err != nil {
				return state{}, err
			}
			if last, ok := chain.Head(); ok {
				head = &last
			}
			list = nil
		}
		if done {
			return state{pins, head}, d.save(state{pins, head})
		}
		path = after(more.Roots[len(more.Roots)-1].Number)
	}
	return state{}, fmt.Errorf("%w: a chain without an end", ErrAnswer)
}

func after(number uint64) string { return "/anonymous/roots?after=" + strconv.FormatUint(number, 10) }

// roots is a [api.Roots] with its snapshots read.
type roots struct {
	ServiceID   string                     `json:"service_id"`
	EpochLength int64                      `json:"epoch_length"`
	Key         string                     `json:"key"`
	Roots       []anonymous.SignedSnapshot `json:"roots"`
}

// follow follows the chain until its head is the group that the service shows.
func (d *Device) follow(ctx context.Context) (*group, error) {
	for range maxRounds {
		known, err := d.chain(ctx)
		if err != nil {
			return nil, err
		}
		shown, err := ask[api.Group](ctx, d, d.unnamed, call{method: "GET", path: "/anonymous/group"})
		if err != nil {
			return nil, err
		}
		if _, err := d.checkPins(&known.pins, shown.ServiceID, shown.EpochLength, shown.Key); err != nil {
			return nil, err
		}
		newest, err := snapshotOf(&shown)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		g := &group{state: known}
		if g.pageRoots, err = scalars(shown.PageRoots); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		if known.head == nil || newest.Number > known.head.Number {
			continue // it moved on
		}
		chain := anonymous.NewChain(known.pins.Service, known.pins.Key, known.head)
		return g, chain.Extend([]anonymous.SignedSnapshot{newest}, d.Now())
	}
	return nil, ErrHead
}

// snapshotOf returns the signed snapshot in an answer, by its own strict reader.
func snapshotOf(g *api.Group) (s anonymous.SignedSnapshot, err error) {
	b, err := json.Marshal(map[string]any{
		"number": g.Number, "root": g.Root, "size": g.Size, "epoch": g.Epoch,
		"created_at": g.CreatedAt, "previous": g.Previous, "signature": g.Signature,
	})
	if err != nil {
		return s, err
	}
	return s, s.UnmarshalJSON(b)
}

func scalars(decimals []string) ([]fr.Element, error) {
	out := make([]fr.Element, len(decimals))
	for i, s := range decimals {
		var err error
		if out[i], err = anonymous.ParseScalar(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}
