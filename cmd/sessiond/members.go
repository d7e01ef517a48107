package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mentalverse/session/anonymous/device"
	"github.com/mentalverse/session/api"
)

type membersCmd struct {
	Enrol membersEnrolCmd `cmd:"" help:"Enrol this device in the name of the saved session; makes its identity file."`
	Leave membersLeaveCmd `cmd:"" help:"Leave the group, in the name of the saved session, when the epoch turns."`
	Show  membersShowCmd  `cmd:"" help:"Show the group, to be compared with what others see."`
}

// membership is a device's place in the group.
type membership struct {
	remote
	groupFlags
	Identity string `help:"File of the secret (mode 0600); what is known of the group is kept beside it." default:"sessiond-identity-anonymous" placeholder:"FILE"`
	JSON     bool   `help:"Print JSON." name:"json"`
}

// named returns the token of a saved session that is somebody's.
func (m membership) named() (string, error) {
	saved, err := m.load()
	if err == nil && strings.HasPrefix(saved.SessionID, "anon_") {
		err = fmt.Errorf("%s: the saved session is anonymous, and this would name it: sign in with your wallet, or choose another --state", m.State)
	}
	return saved.SessionToken, err
}

func (m membership) tell(s streams, is api.Membership) error {
	if m.JSON {
		return show(s.out, is)
	}
	text, ok := map[string]string{
		"waiting":   "enrolled; the commitment waits for others and enters the group with them",
		"member":    "enrolled; the commitment is in the group",
		"replacing": "enrolled; the commitment takes the place of your former one when the epoch turns",
		"leaving":   "leaving; the commitment goes when the epoch turns",
		"none":      "you are no member",
	}[is.Status]
	if !ok {
		return fmt.Errorf("%w: status %q", device.ErrAnswer, is.Status)
	}
	_, err := fmt.Fprintln(s.out, text)
	return err
}

type membersEnrolCmd struct{ membership }

func (cmd membersEnrolCmd) Run(ctx context.Context, s streams) error {
	token, err := cmd.named()
	if err != nil {
		return err
	}
	d, err := cmd.device(cmd.remote, cmd.Identity, s)
	if err != nil {
		return err
	}
	_, err = d.Commitment()
	fresh := errors.Is(err, device.ErrNone)
	is, err := d.Enrol(ctx, token)
	if _, e := d.Commitment(); fresh && e == nil {
		fmt.Fprintf(s.err, "made a new identity in %s\n", cmd.Identity)
	}
	if err != nil {
		return explained(d, err)
	}
	return cmd.tell(s, is)
}

type membersLeaveCmd struct{ membership }

func (cmd membersLeaveCmd) Run(ctx context.Context, s streams) error {
	token, err := cmd.named()
	if err != nil {
		return err
	}
	d, err := cmd.device(cmd.remote, cmd.Identity, s)
	if err != nil {
		return err
	}
	is, err := d.Leave(ctx, token)
	if err != nil {
		return err
	}
	return cmd.tell(s, is)
}

type membersShowCmd struct{ membership }

// groupView is what members show prints as JSON.
type groupView struct {
	ServiceID   string  `json:"service_id"`
	EpochLength int64   `json:"epoch_length"`
	Key         string  `json:"key"`
	Epoch       uint64  `json:"epoch"`
	EpochEnd    string  `json:"epoch_end"`
	Number      *uint64 `json:"number"` // null while the group is empty
	Size        int     `json:"size"`
	Members     int     `json:"members"`
	CreatedAt   string  `json:"created_at,omitempty"`
	Head        string  `json:"head,omitempty"`
	Commitment  string  `json:"commitment,omitempty"`
	Entered     bool    `json:"entered"`
	Closed      string  `json:"closed,omitempty"` // why nobody can sign in
}

func (cmd membersShowCmd) Run(ctx context.Context, s streams) error {
	d, err := cmd.device(cmd.remote, cmd.Identity, s)
	if err != nil {
		return err
	}
	v, err := d.Look(ctx)
	if err != nil {
		return explained(d, err)
	}
	g := groupView{
		ServiceID: string(v.Pins.Service), EpochLength: int64(v.Pins.EpochLength / time.Second), Key: device.FormatKey(v.Pins.Key),
		Epoch: v.Epoch, EpochEnd: v.EpochEnd.Format(time.RFC3339), Members: v.Members, Head: v.Head(), Commitment: v.Own, Entered: v.Entered, Closed: v.Closed,
	}
	if v.Snapshot != nil {
		g.Number, g.Size, g.CreatedAt = &v.Snapshot.Number, v.Snapshot.Size, v.Snapshot.CreatedAt.Format(time.RFC3339)
	}
	if cmd.JSON {
		return show(s.out, g)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "service\t%s\n", g.ServiceID)
	fmt.Fprintf(w, "key\t%s\n", g.Key)
	fmt.Fprintf(w, "epoch\t%d, until %s; each lasts %s\n", g.Epoch, g.EpochEnd, v.Pins.EpochLength)
	if g.Number == nil {
		fmt.Fprint(w, "snapshot\tnone yet\n")
	} else {
		fmt.Fprintf(w, "snapshot\t%d of %s\n", *g.Number, g.CreatedAt)
		if g.Closed == "" {
			fmt.Fprintf(w, "members\t%d in %d places\n", g.Members, g.Size)
		}
		fmt.Fprintf(w, "head\t%s\n", g.Head)
	}
	if g.Closed != "" {
		fmt.Fprintf(w, "closed\t%s\n", g.Closed)
	}
	switch {
	case v.Own == "":
		fmt.Fprintf(w, "you\tno identity in %s\n", cmd.Identity)
	case g.Closed != "": // it is not known
	case v.Entered:
		fmt.Fprint(w, "you\tin the group\n")
	default:
		fmt.Fprint(w, "you\tnot in the group\n")
	}
	return w.Flush()
}
