package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/mentalverse/session/api"
)

// endCmd ends many sessions by one rule.
type endCmd struct {
	operating
	because
	All    bool          `help:"End every session there is."`
	Type   string        `help:"End those of this type: standard, anonymous or professional." placeholder:"TYPE"`
	Before string        `help:"End those that were made before this time (RFC 3339)." placeholder:"TIME"`
	Older  time.Duration `help:"End those that are older than this." placeholder:"12h"`
	KeyID  string        `name:"key-id" help:"End those that may have a token of this signing key (sessiond keys)." placeholder:"KID"`
}

func (cmd endCmd) Run(ctx context.Context, s streams) error {
	before := cmd.Before
	if cmd.Older > 0 {
		before = time.Now().Add(-cmd.Older).UTC().Format(time.RFC3339)
	}
	_, err := operate[api.Empty](ctx, cmd.operating, http.MethodPost, "/sessions/end", api.EndManyRequest{
		All: cmd.All, SessionType: cmd.Type, CreatedBefore: before, KeyID: cmd.KeyID, Reason: cmd.Reason,
	})
	if err == nil {
		_, err = fmt.Fprintln(s.out, "ended")
	}
	return err
}

type usersCmd struct {
	Erase   eraseCmd       `cmd:"" help:"Erase a user: accounts, sessions, membership. The audit trail keeps an id that names nobody."`
	Block   userBlockCmd   `cmd:"" help:"End a user's sessions and keep them out."`
	Unblock userUnblockCmd `cmd:"" help:"Let a user in again."`
}

// onUser is what an operator does to a user.
type onUser struct {
	operating
	because
	ID string `arg:"" help:"The user's id, user_…"`
}

func (cmd onUser) do(ctx context.Context, s streams, method, path, done string) error {
	if _, err := operate[api.Empty](ctx, cmd.operating, method, path, api.OperatorRequest{Reason: cmd.Reason}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, done, cmd.ID)
	return err
}

type eraseCmd struct{ onUser }

func (cmd eraseCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodDelete, "/users/"+url.PathEscape(cmd.ID), "erased")
}

type userBlockCmd struct{ onUser }

func (cmd userBlockCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodPost, "/subjects/"+url.PathEscape(cmd.ID)+"/block", "blocked")
}

type userUnblockCmd struct{ onUser }

func (cmd userUnblockCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodDelete, "/subjects/"+url.PathEscape(cmd.ID)+"/block", "unblocked")
}
