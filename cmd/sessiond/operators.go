package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"text/tabwriter"

	"github.com/mentalverse/session/api"
)

type operatorsCmd struct {
	Add    operatorsAddCmd    `cmd:"" help:"Make an operator and print their key, this once. Needs the master key."`
	List   operatorsListCmd   `cmd:"" help:"List operators, revoked ones too."`
	Revoke operatorsRevokeCmd `cmd:"" help:"Take an operator's key away for ever. Needs the master key."`
}

type operatorsAddCmd struct {
	operating
	because
	Name string `arg:"" help:"Whom the audit trail names."`
	Role string `required:"" enum:"viewer,operator,auditor" help:"viewer sees people, operator acts on them, auditor sees the audit trail."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (cmd operatorsAddCmd) Run(ctx context.Context, s streams) error {
	o, err := operate[api.Operator](ctx, cmd.operating, "POST", "/operators", api.AddOperatorRequest{Name: cmd.Name, Role: cmd.Role, Reason: cmd.Reason})
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, o)
	}
	fmt.Fprintf(s.err, "made %s, %s; the key below is shown this once\n", o.OperatorID, o.Role)
	_, err = fmt.Fprintln(s.out, o.Key)
	return err
}

type operatorsListCmd struct {
	operating
	JSON bool `help:"Print JSON." name:"json"`
}

func (cmd operatorsListCmd) Run(ctx context.Context, s streams) error {
	all, err := everyPage(ctx, cmd.operating, "/operators", func(l api.OperatorList) []api.Operator { return l.Operators }, func(one api.Operator) string { return one.OperatorID })
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, api.OperatorList{Operators: all})
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATOR\tROLE\tNAME\tSINCE\tREVOKED")
	for _, o := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.OperatorID, o.Role, o.Name, o.CreatedAt, o.RevokedAt)
	}
	return w.Flush()
}

type operatorsRevokeCmd struct {
	operating
	because
	ID string `arg:"" help:"The operator's id, op_…"`
}

func (cmd operatorsRevokeCmd) Run(ctx context.Context, s streams) error {
	o, err := operate[api.Operator](ctx, cmd.operating, "DELETE", "/operators/"+url.PathEscape(cmd.ID), api.OperatorRequest{Reason: cmd.Reason})
	if err != nil {
		return err
	}
	if o.RevokedAt == "" {
		return errors.New("the answer does not say that it is revoked")
	}
	_, err = fmt.Fprintln(s.out, "revoked", o.OperatorID)
	return err
}
