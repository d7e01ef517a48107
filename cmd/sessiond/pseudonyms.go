package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

type pseudonymsCmd struct {
	Block   blockCmd   `cmd:"" help:"End a pseudonym's sessions and keep it out until the epoch is over."`
	Unblock unblockCmd `cmd:"" help:"Let a pseudonym in again."`
}

// act is what an operator does to a pseudonym of the running server of this
// machine. Who can read the master key is an operator.
type act struct {
	settings
	ID     string `arg:"" help:"The anonymous id, anon_…"`
	Reason string `required:"" help:"Why: 3 to 200 bytes, kept in the audit trail."`
}

type blockCmd struct{ act }

func (cmd blockCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodPost, "blocked")
}

type unblockCmd struct{ act }

func (cmd unblockCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, http.MethodDelete, "unblocked")
}

func (a act) do(ctx context.Context, s streams, method, done string) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	key, err := server.OperatorKey(c)
	if err != nil {
		return err
	}
	body, err := json.Marshal(api.OperatorRequest{Reason: a.Reason})
	if err != nil {
		return err
	}
	at := "http://" + c.OperatorListen + api.OperatorPath + "/pseudonyms/" + url.PathEscape(a.ID) + "/block"
	req, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := httpClient.Do(req)
	if err != nil {
		return fmt.Errorf("is the server running, and operator_listen %s its own? %w", c.OperatorListen, err)
	}
	defer res.Body.Close()
	var out api.Envelope[api.Empty]
	if err := json.NewDecoder(io.LimitReader(res.Body, api.MaxBody)).Decode(&out); err != nil {
		return fmt.Errorf("answer %d is not the API's", res.StatusCode)
	}
	if out.Error != nil {
		return out.Error
	}
	_, err = fmt.Fprintln(s.out, done, a.ID)
	return err
}
