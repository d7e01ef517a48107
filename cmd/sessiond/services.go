package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"text/tabwriter"

	"github.com/mentalverse/session/api"
)

type servicesCmd struct {
	Add    servicesAddCmd    `cmd:"" help:"Make a service's key and print it, this once. Needs the master key."`
	List   servicesListCmd   `cmd:"" help:"List services, revoked ones too."`
	Revoke servicesRevokeCmd `cmd:"" help:"Take a service's key away for ever. Needs the master key."`
}

type servicesAddCmd struct {
	operating
	because
	Name string `arg:"" help:"What the service is called, for the audit trail."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (cmd servicesAddCmd) Run(ctx context.Context, s streams) error {
	made, err := operate[api.ServiceKey](ctx, cmd.operating, "POST", "/services", api.AddServiceRequest{Name: cmd.Name, Reason: cmd.Reason})
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, made)
	}
	fmt.Fprintf(s.err, "made %s; the key below is shown this once\n", made.ServiceID)
	_, err = fmt.Fprintln(s.out, made.Key)
	return err
}

type servicesListCmd struct {
	operating
	JSON bool `help:"Print JSON." name:"json"`
}

func (cmd servicesListCmd) Run(ctx context.Context, s streams) error {
	all, err := everyPage(ctx, cmd.operating, "/services", func(l api.ServiceKeyList) []api.ServiceKey { return l.Services }, func(one api.ServiceKey) string { return one.ServiceID })
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, api.ServiceKeyList{Services: all})
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tNAME\tSINCE\tREVOKED")
	for _, one := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", one.ServiceID, one.Name, one.CreatedAt, one.RevokedAt)
	}
	return w.Flush()
}

type servicesRevokeCmd struct {
	operating
	because
	ID string `arg:"" help:"The service's id, svc_…"`
}

func (cmd servicesRevokeCmd) Run(ctx context.Context, s streams) error {
	gone, err := operate[api.ServiceKey](ctx, cmd.operating, "DELETE", "/services/"+url.PathEscape(cmd.ID), api.OperatorRequest{Reason: cmd.Reason})
	if err != nil {
		return err
	}
	if gone.RevokedAt == "" {
		return errors.New("the answer does not say that it is revoked")
	}
	_, err = fmt.Fprintln(s.out, "revoked", gone.ServiceID)
	return err
}
