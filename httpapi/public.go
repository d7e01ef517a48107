package httpapi

import (
	_ "embed"
	"errors"
	"net/http"
	"strconv"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

//go:embed openapi.yaml
var openAPI []byte

// Public returns the handler of the public listener: the session API, the
// published keys, the description and the health checks.
func Public(s *session.Service, opts Options) http.Handler {
	p := public{s}
	const base = api.BasePath
	return newMux(opts, []route{
		{method: "POST", path: base + "/challenge", handle: handle(200, false, p.challenge)},
		{method: "POST", path: base + "/sessions", handle: handle(201, true, p.create)},
		{method: "GET", path: base + "/sessions", handle: get(p.list)},
		{method: "DELETE", path: base + "/sessions", handle: get(p.endOthers), queries: []string{"include"}},
		{method: "GET", path: base + "/sessions/validate", handle: get(p.validate), queries: []string{"permission", "max_age"}},
		{method: "POST", path: base + "/sessions/refresh", handle: handle(200, false, p.refresh)},
		{method: "POST", path: base + "/sessions/logout", handle: handle(200, true, p.logout)},
		{method: "POST", path: base + "/sessions/activity", handle: get(p.activity)},
		{method: "POST", path: base + "/sessions/reauthenticate", handle: handle(200, false, p.reauthenticate)},
		{method: "GET", path: base + "/sessions/current", handle: get(p.current)},
		{method: "PATCH", path: base + "/sessions/current", handle: handle(200, false, p.amend)},
		{method: "DELETE", path: base + "/sessions/{id}", handle: get(p.end)},
		{method: "GET", path: "/.well-known/jwks.json", handle: p.jwks},
		{method: "GET", path: "/openapi.yaml", handle: p.openAPI},
		{method: "GET", path: "/healthz", handle: get(p.health)},
		{method: "GET", path: "/readyz", handle: get(p.ready)},
	})
}

type public struct{ service *session.Service }

func (p public) challenge(r *http.Request, c call, in api.ChallengeRequest) (api.Challenge, error) {
	out, err := p.service.Challenge(r.Context(), session.ChallengeRequest{
		Purpose: session.Purpose(in.Purpose), Type: session.Type(in.SessionType), SessionToken: c.bearer,
		Account: session.Account{Chain: session.Chain(in.Chain), Address: in.Address},
	})
	if err != nil {
		return api.Challenge{}, err
	}
	return api.Challenge{Nonce: out.Nonce, Message: out.Message, IssuedAt: stamp(out.IssuedAt), ExpiresAt: stamp(out.ExpiresAt)}, nil
}

func (p public) create(r *http.Request, c call, in api.CreateRequest) (api.Tokens, error) {
	bad := func(message string) (api.Tokens, error) {
		return api.Tokens{}, refuse(http.StatusBadRequest, api.InvalidRequest, message)
	}
	credential := c.bearer
	if in.Credential != "" {
		if credential != "" {
			return bad("Send the credential once: in Authorization or in the body.")
		}
		credential = in.Credential
	}
	var duration time.Duration
	if in.Duration != nil {
		// The policy bounds it; the bound here only keeps the arithmetic whole.
		if *in.Duration < 1 {
			return bad("duration is a positive number of seconds.")
		}
		duration = time.Duration(min(*in.Duration, int64(session.MaxAbsoluteLife/time.Second))) * time.Second
	}
	if in.Transport != "" && in.Transport != "header" {
		return bad("transport may be header; cookies are not served yet.")
	}
	if in.Activity != "" && in.Activity != "reported" {
		return bad("activity may be reported, or left out.")
	}
	out, err := p.service.Create(r.Context(), session.CreateRequest{
		Credential: credential, Type: session.Type(in.SessionType), Duration: duration, Permissions: in.Permissions,
		Reporting: in.Activity == "reported", DeviceLabel: in.DeviceLabel, RequestID: c.requestID,
	})
	return tokens(out), err
}

func (p public) validate(r *http.Request, c call) (api.Validation, error) {
	values := r.URL.Query()
	want := session.Requirement{Permissions: values["permission"], MaxAge: -1}
	if ages := values["max_age"]; len(ages) > 0 {
		n, err := strconv.ParseUint(ages[0], 10, 31)
		if err != nil || len(ages) > 1 {
			return api.Validation{}, refuse(http.StatusBadRequest, api.InvalidRequest, "max_age is a number of seconds.")
		}
		want.MaxAge = time.Duration(n) * time.Second
	}
	presence := session.Personal
	if r.Header.Get("Session-Activity") == "background" {
		presence = session.Glance
	}
	row, err := p.service.Validate(r.Context(), c.bearer, want, presence)
	if err != nil {
		return api.Validation{}, err
	}
	o := object(row, row.ID)
	return api.Validation{
		Valid: true, ExpiresAt: o.ExpiresAt, TimeRemaining: p.service.Remaining(row), Permissions: o.Permissions,
		SessionID: o.SessionID, SessionType: o.SessionType, UserID: o.UserID, Principal: o.Principal, Address: o.Address,
		AuthTime: o.AuthTime, IdleExpiresAt: o.IdleExpiresAt, SessionExpiresAt: o.SessionExpiresAt,
	}, nil
}

func (p public) refresh(r *http.Request, c call, in api.RefreshRequest) (api.Tokens, error) {
	out, err := p.service.Refresh(r.Context(), in.RefreshToken, c.requestID)
	return tokens(out), err
}

func (p public) logout(r *http.Request, c call, in api.LogoutRequest) (api.Empty, error) {
	if c.bearer == "" && in.RefreshToken == "" {
		return api.Empty{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send the session token, or refresh_token in the body.")
	}
	return api.Empty{}, p.service.Logout(r.Context(), c.bearer, in.RefreshToken, c.requestID)
}

func (p public) list(r *http.Request, c call) (api.SessionList, error) {
	current, all, err := p.service.List(r.Context(), c.bearer)
	if err != nil {
		return api.SessionList{}, err
	}
	out := api.SessionList{Sessions: []api.Session{}}
	for _, row := range all {
		out.Sessions = append(out.Sessions, object(row, current.ID))
	}
	return out, nil
}

func (p public) current(r *http.Request, c call) (api.Session, error) {
	row, err := p.service.Current(r.Context(), c.bearer)
	return object(row, row.ID), err
}

func (p public) end(r *http.Request, c call) (api.Empty, error) {
	id, err := token.ParseID(r.PathValue("id"))
	if err != nil {
		id = token.ID{} // no session has it: the answer is that of any unknown id
	}
	return api.Empty{}, p.service.End(r.Context(), c.bearer, id, c.requestID)
}

func (p public) endOthers(r *http.Request, c call) (api.EndCount, error) {
	include := r.URL.Query()["include"]
	if len(include) > 1 || len(include) == 1 && include[0] != "current" {
		return api.EndCount{}, refuse(http.StatusBadRequest, api.InvalidRequest, "include may be current.")
	}
	n, err := p.service.EndOthers(r.Context(), c.bearer, len(include) == 1, c.requestID)
	return api.EndCount{Ended: n}, err
}

func (p public) amend(r *http.Request, c call, in api.AmendRequest) (api.Tokens, error) {
	change := session.AmendRequest{DeviceLabel: in.DeviceLabel, RequestID: c.requestID}
	if in.Permissions != nil {
		change.Permissions = *in.Permissions
	}
	if change.Permissions == nil && change.DeviceLabel == nil {
		return api.Tokens{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send permissions or device_label.")
	}
	out, err := p.service.Amend(r.Context(), c.bearer, change)
	return tokens(out), err
}

func (p public) activity(r *http.Request, c call) (api.Ends, error) {
	row, err := p.service.Touch(r.Context(), c.bearer)
	o := object(row, row.ID)
	return api.Ends{ExpiresAt: o.ExpiresAt, IdleExpiresAt: o.IdleExpiresAt, SessionExpiresAt: o.SessionExpiresAt}, err
}

func (p public) reauthenticate(r *http.Request, c call, in api.ReauthenticateRequest) (api.Tokens, error) {
	out, err := p.service.Reauthenticate(r.Context(), c.bearer, in.Credential, c.requestID)
	return tokens(out), err
}

func (p public) jwks(w http.ResponseWriter, _ *http.Request, _ call) error {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(p.service.Keys().JWKS())
	return ignoreWrite(err)
}

func (p public) openAPI(w http.ResponseWriter, _ *http.Request, _ call) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, err := w.Write(openAPI)
	return ignoreWrite(err)
}

// ignoreWrite drops the error of a client that went away while it was answered.
func ignoreWrite(error) error { return nil }

func (p public) health(*http.Request, call) (api.Empty, error) { return api.Empty{}, nil }

func (p public) ready(r *http.Request, _ call) (api.Empty, error) {
	if err := p.service.Ready(r.Context()); err != nil {
		return api.Empty{}, errors.Join(errors.New("not ready"), err)
	}
	return api.Empty{}, nil
}
