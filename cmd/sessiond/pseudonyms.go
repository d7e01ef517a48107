package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/mentalverse/session/api"
)

type pseudonymsCmd struct {
	Block   blockCmd   `cmd:"" help:"End a pseudonym's sessions and keep it out until the epoch is over."`
	Unblock unblockCmd `cmd:"" help:"Let a pseudonym in again."`
}

// onPseudonym is what an operator does to a pseudonym.
type onPseudonym struct {
	operating
	because
	ID string `arg:"" help:"The anonymous id, anon_…"`
}

type blockCmd struct{ onPseudonym }

func (cmd blockCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodPost, "blocked")
}

type unblockCmd struct{ onPseudonym }

func (cmd unblockCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodDelete, "unblocked")
}

func (cmd onPseudonym) do(ctx context.Context, s streams, method, done string) error {
	path := "/subjects/" + url.PathEscape(cmd.ID) + "/block"
	if _, err := operate[api.Empty](ctx, cmd.operating, method, path, api.OperatorRequest{Reason: cmd.Reason}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, done, cmd.ID)
	return err
}
