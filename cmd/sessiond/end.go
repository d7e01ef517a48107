package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// selected names sessions by what they have in common.
type selected struct {
	Subject string        `help:"Those of this user (user_…) or pseudonym (anon_…)." placeholder:"ID"`
	Type    string        `help:"Those of this type: standard, anonymous or professional." placeholder:"TYPE"`
	From    string        `help:"Those that were made at this time (RFC 3339) or later." placeholder:"TIME"`
	Before  string        `help:"Those that were made before this time (RFC 3339)." placeholder:"TIME"`
	Older   time.Duration `help:"Those that are older than this." placeholder:"12h"`
	KeyID   string        `name:"key-id" help:"Those that may have a token of this signing key (sessiond keys)." placeholder:"KID"`
}

func (s selected) selection() (api.Selection, error) {
	before := s.Before
	if s.Older != 0 {
		if before != "" || s.Older < 0 {
			return api.Selection{}, errors.New("--before or --older, which is no less than nothing")
		}
		before = time.Now().Add(-s.Older).UTC().Format(time.RFC3339)
	}
	return api.Selection{SubjectID: s.Subject, SessionType: s.Type, CreatedFrom: s.From, CreatedBefore: before, KeyID: s.KeyID}, nil
}

// endCmd ends many sessions by one rule.
type endCmd struct {
	operating
	because
	selected
	All bool `help:"End every session there is."`
}

func (cmd endCmd) Run(ctx context.Context, s streams) error {
	sel, err := cmd.selection()
	if err != nil {
		return err
	}
	_, err = operate[api.Empty](ctx, cmd.operating, http.MethodPost, "/sessions/end", api.EndManyRequest{All: cmd.All, Selection: sel, Reason: cmd.Reason})
	if err == nil {
		_, err = fmt.Fprintln(s.out, "ended")
	}
	return err
}

type usersCmd struct {
	Erased  erasedCmd      `cmd:"" help:"List who was erased, by marks that say nothing, to keep beside the backups for a restore."`
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

// erasedCmd works beside the server, as a backup does.
type erasedCmd struct{ settings }

func (cmd erasedCmd) Run(ctx context.Context, s streams) error {
	c, err := cmd.config()
	if err != nil {
		return err
	}
	l, err := server.Erased(ctx, c)
	if err == nil {
		_, err = fmt.Fprint(s.out, l.String())
	}
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
