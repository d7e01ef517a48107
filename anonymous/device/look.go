package device

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
)

// View is what a device knows of the group, to be compared with what others
// know.
type View struct {
	Pins     Pins
	Epoch    uint64
	EpochEnd time.Time
	Snapshot *anonymous.SignedSnapshot // nil while the group is empty
	Members  int                       // places less those that were left, counted here
	Own      string                    // the commitment; empty without an identity
	Entered  bool                      // the commitment is in the group
	Closed   string                    // why nobody can sign in yet; then Members and Entered are not known
}

// Head is the name of the newest snapshot and all before it. Whoever sees
// another one for the same number sees another group.
func (v *View) Head() string {
	if v.Snapshot == nil {
		return ""
	}
	hash := v.Snapshot.Hash(v.Pins.Service)
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// Known returns what is kept of the service, without asking it; nil before the
// first contact. It is what to compare with others when the service shows
// something else.
func (d *Device) Known() (*View, error) {
	s, err := d.load()
	if s == nil || err != nil {
		return nil, err
	}
	return &View{Pins: s.pins, Snapshot: s.head}, nil
}

// Look follows the group and downloads it, as every sign-in does.
func (d *Device) Look(ctx context.Context) (*View, error) {
	own, err := d.Commitment()
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	g, err := d.follow(ctx)
	var refused *api.Error
	if errors.As(err, &refused) && refused.Code == api.Unavailable {
		known, err := d.load()
		if known == nil || err != nil {
			return nil, errors.Join(refused, err)
		}
		v := &View{Pins: known.pins, Snapshot: known.head, Own: own, Closed: refused.Message}
		v.Epoch = known.pins.epochs().Epoch(d.Now())
		v.EpochEnd = known.pins.epochs().EpochEnd(v.Epoch)
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	v := &View{Pins: g.pins, Snapshot: g.head, Own: own}
	v.Epoch = g.pins.epochs().Epoch(d.Now())
	if g.head != nil {
		v.Epoch = g.head.Epoch
		m, err := d.download(ctx, g)
		if err != nil {
			return nil, err
		}
		v.Members = m.count()
		if own != "" {
			c, err := anonymous.ParseCommitment(own)
			if err != nil {
				return nil, err
			}
			_, err = m.find(c)
			v.Entered = err == nil
		}
	}
	v.EpochEnd = g.pins.epochs().EpochEnd(v.Epoch)
	return v, nil
}
