package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/privatefile"
)

// remote is a server and the session saved for it.
type remote struct {
	Server string `help:"The server's origin." default:"http://localhost:8080" env:"SESSIOND_SERVER"`
	State  string `help:"File of the saved session (mode 0600)." default:"sessiond-session.json" env:"SESSIOND_SESSION" placeholder:"FILE"`
}

// saved is what the client keeps between commands.
type saved struct {
	SessionToken string `json:"session_token"`
	RefreshToken string `json:"refresh_token"`
	SessionID    string `json:"session_id"`
}

func (r remote) load() (saved, error) {
	var s saved
	b, err := os.ReadFile(r.State)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%s: no saved session; run sessiond signin first", r.State)
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%s: not a saved session", r.State)
	}
	return s, nil
}

func (r remote) save(t api.Tokens) error {
	b, err := json.Marshal(saved{t.SessionToken, t.RefreshToken, t.SessionID})
	if err != nil {
		return err
	}
	return privatefile.Replace(r.State, b)
}

var httpClient = &http.Client{Timeout: 15 * time.Second}

// ask makes one call and opens its envelope. A refusal is an *api.Error.
func ask[Out any](ctx context.Context, r remote, method, path, bearer string, in any) (Out, error) {
	var out api.Envelope[Out]
	var zero Out
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return zero, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.Server+api.BasePath+path, body)
	if err != nil {
		return zero, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return zero, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&out); err != nil {
		return zero, fmt.Errorf("%s %s: answer %d is not the API's", method, path, res.StatusCode)
	}
	if out.Error != nil {
		return zero, out.Error
	}
	if out.Data == nil {
		return zero, fmt.Errorf("%s %s: answer %d has no data", method, path, res.StatusCode)
	}
	return *out.Data, nil
}

func show(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type signinCmd struct {
	remote
	groupFlags
	Anonymous   bool          `help:"As an enrolled member, without saying which one (sessiond members enrol)."`
	Wallet      string        `help:"Whose account: icp, ethereum or solana." enum:"icp,ethereum,solana" default:"icp"`
	Identity    string        `help:"Identity file, PEM, made when missing, mode 0600 (default sessiond-identity.pem, for other wallets than icp sessiond-identity-WALLET.pem, with --anonymous sessiond-identity-anonymous)." placeholder:"FILE"`
	Type        string        `help:"Of the session: standard or professional." enum:"standard,professional" default:"standard"`
	Duration    time.Duration `help:"Life of one session token." placeholder:"12h"`
	Permission  []string      `help:"Ask only for this permission (repeatable)."`
	DeviceLabel string        `help:"A coarse label such as 'Firefox on Android'."`
}

func (cmd signinCmd) Run(ctx context.Context, s streams) error {
	if cmd.Anonymous {
		return cmd.anonymous(ctx, s)
	}
	file := cmp.Or(cmd.Identity, walletKinds[cmd.Wallet].file)
	id, made, err := identity(file, cmd.Wallet)
	if err != nil {
		return err
	}
	if made {
		fmt.Fprintf(s.err, "made a new identity in %s\n", file)
	}
	challenge, err := ask[api.Challenge](ctx, cmd.remote, "POST", "/challenge", "",
		api.ChallengeRequest{Chain: cmd.Wallet, Address: id.Address(), SessionType: cmd.Type})
	if err != nil {
		return err
	}
	credential, err := id.Credential(challenge.Message)
	if err != nil {
		return err
	}
	req := api.CreateRequest{SessionType: cmd.Type, Activity: "reported", DeviceLabel: cmd.DeviceLabel, Permissions: cmd.Permission}
	if cmd.Duration != 0 {
		seconds := int64(cmd.Duration / time.Second)
		req.Duration = &seconds
	}
	tokens, err := ask[api.Tokens](ctx, cmd.remote, "POST", "/sessions", credential, req)
	if err != nil {
		return err
	}
	return cmd.opened(ctx, s, tokens)
}

// opened saves a new session and shows it.
func (r remote) opened(ctx context.Context, s streams, tokens api.Tokens) error {
	if err := r.save(tokens); err != nil {
		return err
	}
	current, err := ask[api.Session](ctx, r, "GET", "/sessions/current", tokens.SessionToken, nil)
	if err != nil {
		return err
	}
	return show(s.out, current)
}

type validateCmd struct {
	remote
	Permission []string `help:"Also require this permission (repeatable)."`
}

func (cmd validateCmd) Run(ctx context.Context, s streams) error {
	saved, err := cmd.load()
	if err != nil {
		return err
	}
	path := "/sessions/validate"
	for i, p := range cmd.Permission {
		path += map[bool]string{true: "?", false: "&"}[i == 0] + "permission=" + url.QueryEscape(p)
	}
	v, err := ask[api.Validation](ctx, cmd.remote, "GET", path, saved.SessionToken, nil)
	if err != nil {
		return err
	}
	return show(s.out, v)
}

type refreshCmd struct{ remote }

func (cmd refreshCmd) Run(ctx context.Context, s streams) error {
	saved, err := cmd.load()
	if err != nil {
		return err
	}
	t, err := ask[api.Tokens](ctx, cmd.remote, "POST", "/sessions/refresh", "", api.RefreshRequest{RefreshToken: saved.RefreshToken})
	if err != nil {
		return err
	}
	if err := cmd.save(t); err != nil {
		return err
	}
	t.SessionToken, t.RefreshToken = "", "" // they are in the file
	return show(s.out, t)
}

type logoutCmd struct{ remote }

func (cmd logoutCmd) Run(ctx context.Context, s streams) error {
	saved, err := cmd.load()
	if err != nil {
		return err
	}
	if _, err := ask[api.Empty](ctx, cmd.remote, "POST", "/sessions/logout", saved.SessionToken, api.LogoutRequest{RefreshToken: saved.RefreshToken}); err != nil {
		return err
	}
	if err := os.Remove(cmd.State); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "logged out")
	return err
}

type sessionsCmd struct {
	remote
	End       string `help:"End the session with this id." placeholder:"ID"`
	EndOthers bool   `help:"End every session but this one."`
	JSON      bool   `help:"Print JSON." name:"json"`
}

func (cmd sessionsCmd) Run(ctx context.Context, s streams) error {
	saved, err := cmd.load()
	if err != nil {
		return err
	}
	switch {
	case cmd.End != "":
		_, err := ask[api.Empty](ctx, cmd.remote, "DELETE", "/sessions/"+url.QueryEscape(cmd.End), saved.SessionToken, nil)
		if err == nil {
			_, err = fmt.Fprintln(s.out, "ended")
		}
		return err
	case cmd.EndOthers:
		n, err := ask[api.EndCount](ctx, cmd.remote, "DELETE", "/sessions", saved.SessionToken, nil)
		if err == nil {
			_, err = fmt.Fprintf(s.out, "ended %d\n", n.Ended)
		}
		return err
	}
	list, err := ask[api.SessionList](ctx, cmd.remote, "GET", "/sessions", saved.SessionToken, nil)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, list)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tSESSION\tTYPE\tDEVICE\tCREATED\tEXPIRES")
	for _, o := range list.Sessions {
		mark := map[bool]string{true: "*"}[o.Current]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", mark, o.SessionID, o.SessionType, o.DeviceLabel, o.CreatedAt, o.ExpiresAt)
	}
	return w.Flush()
}
