package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"

	"github.com/mentalverse/session/api"
)

// liveCmd lists what endCmd would end.
type liveCmd struct {
	operating
	selected
	After string `help:"Only those behind this session." placeholder:"ID"`
	Limit int    `help:"How many." default:"100"`
	JSON  bool   `help:"Print JSON." name:"json"`
}

func (cmd liveCmd) Run(ctx context.Context, s streams) error {
	sel, err := cmd.selection()
	if err != nil {
		return err
	}
	out := api.LiveList{Sessions: []api.Session{}}
	for after := cmd.After; ; after = out.Sessions[len(out.Sessions)-1].SessionID {
		page := max(1, min(1000, cmd.Limit-len(out.Sessions)))
		list, err := operate[api.LiveList](ctx, cmd.operating, http.MethodGet, "/sessions?"+liveQuery(sel, after, page), nil)
		if err != nil {
			return err
		}
		out.Sessions, out.Anonymous = append(out.Sessions, list.Sessions...), list.Anonymous
		if len(list.Sessions) < page || len(out.Sessions) >= cmd.Limit {
			break
		}
	}
	if cmd.JSON {
		return show(s.out, out)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tTYPE\tUSER\tDEVICE\tCREATED\tEXPIRES\tENDS")
	for _, o := range out.Sessions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.SessionID, o.SessionType, o.UserID, o.DeviceLabel, o.CreatedAt, o.ExpiresAt, o.SessionExpiresAt)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.err, "%d anonymous sessions besides, which are not listed\n", out.Anonymous)
	return err
}

// liveQuery is the query that asks for one page of a selection.
func liveQuery(sel api.Selection, after string, page int) string {
	q := url.Values{"limit": {strconv.Itoa(page)}}
	for name, value := range map[string]string{
		"after": after, "subject_id": sel.SubjectID, "session_type": sel.SessionType,
		"created_from": sel.CreatedFrom, "created_before": sel.CreatedBefore, "key_id": sel.KeyID,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q.Encode()
}
