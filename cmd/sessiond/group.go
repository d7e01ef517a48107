package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/device"
)

// anonymousFile holds the secret of anonymous sign-in, unless --identity says
// another.
const anonymousFile = "sessiond-identity-anonymous"

// groupFlags are how a person knows the group of anonymous members.
type groupFlags struct {
	ServiceID   string        `help:"The service's id, if it is known beforehand; else the first contact is trusted." placeholder:"ID" group:"Anonymous sign-in"`
	EpochLength time.Duration `help:"The length of its epochs, likewise." placeholder:"720h" group:"Anonymous sign-in"`
	GroupKey    string        `help:"The group's public key, likewise." placeholder:"KEY" group:"Anonymous sign-in"`
	Artifacts   string        `help:"Folder of the prover's files, for a program that was built without them." placeholder:"DIR" group:"Anonymous sign-in"`
	ForgetGroup bool          `help:"Forget what is known of the group and trust the service anew. Compare heads with others first." group:"Anonymous sign-in"`
}

func (f groupFlags) device(r remote, file string, s streams) (*device.Device, error) {
	d := device.New(r.Server, cmp.Or(file, anonymousFile))
	d.Pins.EpochLength, d.Artifacts = f.EpochLength, f.Artifacts
	var err error
	if f.ServiceID != "" {
		if d.Pins.Service, err = anonymous.NewServiceID(f.ServiceID); err != nil {
			return nil, err
		}
	}
	if f.GroupKey != "" {
		if d.Pins.Key, err = device.ParseKey(f.GroupKey); err != nil {
			return nil, err
		}
	}
	d.Progress = func(stage device.Stage, done, of int) {
		if of > 0 {
			fmt.Fprintf(s.err, "%s %d/%d\n", stage, done, of)
		} else {
			fmt.Fprintln(s.err, stage)
		}
	}
	if f.ForgetGroup {
		return d, d.Forget()
	}
	return d, nil
}

// explained says what a refusal to go on may mean, and what to do.
func explained(d *device.Device, err error) error {
	is := func(some ...error) bool {
		for _, one := range some {
			if errors.Is(err, one) {
				return true
			}
		}
		return false
	}
	switch {
	case is(anonymous.ErrFork, anonymous.ErrRollback, anonymous.ErrGap, anonymous.ErrSignature, device.ErrPins, device.ErrHead):
		known := ""
		if v, e := d.Known(); e == nil && v != nil && v.Snapshot != nil {
			known = fmt.Sprintf("\nKept here: snapshot %d, head %s.", v.Snapshot.Number, v.Head())
		}
		return fmt.Errorf(`%w%s
Nothing was proven. Either this is another service than before, or it was restored
from an old backup, or it shows you a group of your own, to know you by it. Compare
heads with other members (sessiond members show) and ask whoever runs it, by another
way. If there is a good reason, --forget-group trusts the service anew`, err, known)
	case is(anonymous.ErrFuture, anonymous.ErrChallengeEpoch):
		return fmt.Errorf("%w\nNothing was proven. If this device's clock (%s) is right, the service's is wrong, or it asks for an epoch in which it could know you again", err, d.Now().UTC().Format(time.RFC3339))
	case is(anonymous.ErrChallengeScope, anonymous.ErrChallengeMessage):
		return fmt.Errorf("%w\nNothing was proven. An answer to it could be matched with others: tell whoever runs the service", err)
	}
	return err
}

func (cmd signinCmd) anonymous(ctx context.Context, s streams) error {
	if cmd.Type != "standard" {
		return errors.New("--type and --anonymous name two kinds of session")
	}
	if cmd.Duration != 0 || cmd.DeviceLabel != "" || len(cmd.Permission) > 0 {
		return errors.New("--duration, --permission and --device-label would tell you from other members: leave them out with --anonymous")
	}
	d, err := cmd.device(cmd.remote, cmd.Identity, s)
	if err != nil {
		return err
	}
	tokens, err := d.SignIn(ctx)
	if err != nil {
		return explained(d, err)
	}
	return cmd.opened(ctx, s, tokens)
}
