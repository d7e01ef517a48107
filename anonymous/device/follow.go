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

// follow brings what is known of the group up to now: the chain is followed
// until its head is the group that the service shows, and the head is kept.
func (d *Device) follow(ctx context.Context) (*group, error) {
	d.Progress(Following, 0, 0)
	known, err := d.load()
	if err != nil {
		return nil, err
	}
	var was *Pins
	var head *anonymous.SignedSnapshot
	if known != nil {
		was, head = &known.pins, known.head
	}
	for range maxRounds {
		shown, err := ask[api.Group](ctx, d, d.unnamed, call{method: "GET", path: "/anonymous/group"})
		if err != nil {
			return nil, err
		}
		pins, err := d.checkPins(was, &shown)
		if err != nil {
			return nil, err
		}
		was = &pins
		g := &group{state: state{pins, head}}
		if shown.Size == 0 && shown.Signature == "" {
			if head != nil {
				return nil, anonymous.ErrRollback
			}
			return g, d.save(g.state)
		}
		newest, err := snapshotOf(&shown)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		if g.pageRoots, err = scalars(shown.PageRoots); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		chain := anonymous.NewChain(pins.Service, pins.Key, head)
		if head != nil && newest.Number <= head.Number {
			if err := chain.Extend([]anonymous.SignedSnapshot{newest}, d.Now()); err != nil {
				return nil, err
			}
			return g, d.save(g.state)
		}
		if err := d.extend(ctx, chain); err != nil {
			return nil, err
		}
		if last, ok := chain.Head(); ok {
			head = &last
		}
	}
	return nil, ErrHead
}

// extend follows the published list to its end.
func (d *Device) extend(ctx context.Context, chain *anonymous.Chain) error {
	for range maxAnswers {
		path := "/anonymous/roots"
		before, known := chain.Head()
		if known {
			path += "?after=" + strconv.FormatUint(before.Number, 10)
		}
		list, err := ask[struct {
			Roots []anonymous.SignedSnapshot `json:"roots"`
		}](ctx, d, d.unnamed, call{method: "GET", path: path, limit: maxList})
		if err != nil {
			return err
		}
		if len(list.Roots) > maxEntries {
			return fmt.Errorf("%w: a list of %d snapshots", ErrAnswer, len(list.Roots))
		}
		if err := chain.Extend(list.Roots, d.Now()); err != nil {
			return err
		}
		if after, _ := chain.Head(); len(list.Roots) == 0 || known && after.Number == before.Number {
			return nil
		}
	}
	return fmt.Errorf("%w: a chain without an end", ErrAnswer)
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
