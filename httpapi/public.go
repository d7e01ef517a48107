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
// published keys, the description, the health checks and the pages.
func Public(s *session.Service, opts Options) (http.Handler, error) {
	p := &public{service: s, csrf: s.Keys().Derive("csrf"), members: opts.Group, artifacts: opts.Artifacts, sockets: opts.Sockets, refused: opts.Refused}
	if p.refused == nil {
		p.refused = func(string) {}
	}
	routes := append(p.routes(), pageRoutes(opts.Pages)...)
	if p.members != nil {
		routes = append(routes, p.anonymousRoutes()...)
	}
	if p.sockets != nil {
		routes = append(routes, p.socketRoutes()...)
	}
	if opts.Feed != nil {
		routes = append(routes, (&services{service: s, feed: opts.Feed}).routes()...)
	}
	return newMux(opts, routes, p)
}

func (p *public) routes() []route {
	const base = api.BasePath
	return []route{
		{holder, "POST", base + "/challenge", handle(200, false, p.challenge), nil, true, metered},
		{credential, "POST", base + "/sessions", handle(201, true, p.create), nil, false, metered},
		{holder, "GET", base + "/sessions", get(p.list), nil, false, metered},
		{holder, "DELETE", base + "/sessions", get(p.endOthers), []string{"include"}, false, ending},
		{holder, "GET", base + "/sessions/validate", p.validate, []string{"permission", "max_age", "headers"}, false, metered},
		{holder, "POST", refreshPath, handle(200, true, p.refresh), nil, false, byHandler},
		{holder, "POST", base + "/sessions/logout", handle(200, true, p.logout), nil, false, unmetered},
		{holder, "POST", base + "/sessions/activity", get(p.activity), nil, false, metered},
		{holder, "POST", base + "/sessions/reauthenticate", handle(200, false, p.reauthenticate), nil, false, metered},
		{holder, "GET", base + "/sessions/current", get(p.current), nil, false, metered},
		{holder, "PATCH", base + "/sessions/current", handle(200, false, p.amend), nil, false, metered},
		{holder, "DELETE", base + "/sessions/{id}", get(p.end), nil, false, ending},
		{anyone, "GET", "/.well-known/jwks.json", p.jwks, nil, false, metered},
		{anyone, "GET", "/openapi.yaml", describe(openAPI), nil, false, metered},
		{anyone, "GET", "/healthz", get(p.health), nil, false, unmetered},
		{anyone, "GET", "/readyz", get(p.ready), nil, false, unmetered},
	}
}

const refreshPath = api.BasePath + "/sessions/refresh"

type public struct {
	service   *session.Service
	csrf      [32]byte
	members   Group // nil: anonymous sessions are not served
	artifacts map[string]Artifact
	sockets   *Sockets // nil: they are not served
	refused   func(policy string)
}

// Recognise implements secrets.
func (p *public) Recognise(s session.Secret) (session.Secret, token.ID, bool) {
	return p.service.Recognise(s)
}

func (p *public) challenge(r *http.Request, c call, in api.ChallengeRequest) (api.Challenge, error) {
	if t := session.Type(in.SessionType); session.Purpose(in.Purpose) != session.PurposeReauthenticate && session.Purpose(in.Purpose) != session.PurposeEnrol {
		if err := c.keepApart(r, t, session.Header); err != nil {
			return api.Challenge{}, err
		}
	}
	out, err := p.service.Challenge(r.Context(), session.ChallengeRequest{
		Purpose: session.Purpose(in.Purpose), Type: session.Type(in.SessionType), SessionToken: c.session,
		Account: session.Account{Chain: session.Chain(in.Chain), Address: in.Address},
	})
	if err != nil {
		return api.Challenge{}, err
	}
	answer := api.Challenge{Nonce: out.Nonce, Message: out.Message, Scope: out.Scope, IssuedAt: stamp(out.IssuedAt), ExpiresAt: stamp(out.ExpiresAt)}
	if out.Scope != "" && out.Purpose != session.PurposeEnrol {
		answer.Epoch = &out.Epoch
	}
	return answer, nil
}

func (p *public) create(r *http.Request, c call, in api.CreateRequest) (api.Tokens, error) {
	bad := func(message string) (api.Tokens, error) {
		return api.Tokens{}, refuse(http.StatusBadRequest, api.InvalidRequest, message)
	}
	if in.Credential != "" {
		if c.credential != "" {
			return bad("Send the credential once: in Authorization or in the body.")
		}
		c.credential = in.Credential
	}
	var duration time.Duration
	if in.Duration != nil {
		// The policy bounds it; the bound here only keeps the arithmetic whole.
		if *in.Duration < 1 {
			return bad("duration is a positive number of seconds.")
		}
		duration = time.Duration(min(*in.Duration, int64(session.MaxAbsoluteLife/time.Second))) * time.Second
	}
	channel := session.Channel(in.Transport)
	if in.Transport != "" && channel != session.Header && channel != session.Cookie {
		return bad("transport is header or cookie.")
	}
	if in.Activity != "" && in.Activity != "reported" {
		return bad("activity may be reported, or left out.")
	}
	if err := c.keepApart(r, session.Type(in.SessionType), channel); err != nil {
		return api.Tokens{}, err
	}
	out, err := p.service.Create(r.Context(), session.CreateRequest{
		Admit: c.count.pseudonym, Credential: c.credential, Channel: channel, Type: session.Type(in.SessionType), Duration: duration, Permissions: in.Permissions,
		Reporting: in.Activity == "reported", DeviceLabel: in.DeviceLabel, RequestID: c.requestID,
	})
	return p.issue(c, out), err
}

func (p *public) validate(w http.ResponseWriter, r *http.Request, c call) error {
	if err := readBody(w, r, &api.Empty{}, true); err != nil {
		return err
	}
	want, forwarding := session.Requirement{MaxAge: -1}, false
	if r.URL.RawQuery != "" {
		values := r.URL.Query()
		var err error
		if forwarding, err = wantsForwarded(values["headers"]); err != nil {
			return err
		}
		want.Permissions = values["permission"]
		if ages := values["max_age"]; len(ages) > 0 {
			n, err := strconv.ParseUint(ages[0], 10, 31)
			if err != nil || len(ages) > 1 {
				return refuse(http.StatusBadRequest, api.InvalidRequest, "max_age is a number of seconds.")
			}
			want.MaxAge = time.Duration(n) * time.Second
		}
	}
	presence := session.Personal
	if v := r.Header["Session-Activity"]; len(v) > 0 && v[0] == "background" {
		presence = session.Glance
	}
	row, err := p.service.Validate(r.Context(), c.session, want, presence)
	if err != nil {
		return err
	}
	if forwarding {
		if err := forward(c.answer, &row); err != nil {
			return err
		}
	}
	out := validation(p.service, &row)
	writeAppended(w, http.StatusOK, out.AppendJSON)
	return nil
}

// validation is what is told of a session that is good.
func validation(s *session.Service, row *session.Session) api.Validation {
	id, at := idAndStamps(row.ID, [...]time.Time{row.ExpiresAt, row.AuthTime, row.IdleEnd(), row.AbsoluteEnd})
	out := api.Validation{
		Valid: true, ExpiresAt: at[0], TimeRemaining: s.Remaining(*row), Permissions: list(row.Permissions),
		SessionID: id, SessionType: string(row.Type),
		AuthTime: at[1], IdleExpiresAt: at[2], SessionExpiresAt: at[3],
	}
	out.UserID, out.AnonymousID = subject(row)
	out.Principal, out.Address = account(row)
	out.ProfessionalID, out.VerificationLevel = practice(row)
	return out
}

func (p *public) refresh(r *http.Request, c call, in api.RefreshRequest) (api.Tokens, error) {
	shown, err := c.refreshToken(in.RefreshToken)
	if err != nil {
		return api.Tokens{}, err
	}
	if shown.IsZero() {
		return api.Tokens{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send refresh_token.")
	}
	shown, id, ours := p.service.NamesRefresh(shown)
	if err := c.count.session(id, ours); err != nil {
		return api.Tokens{}, err
	}
	if err := c.mayBeHere(id, ours); err != nil {
		return api.Tokens{}, err
	}
	out, err := p.service.Refresh(r.Context(), shown, c.requestID)
	return p.issue(c, out), err
}

func (p *public) logout(r *http.Request, c call, in api.LogoutRequest) (api.Empty, error) {
	shown, err := c.refreshToken(in.RefreshToken)
	if err != nil {
		return api.Empty{}, err
	}
	if c.session.IsZero() && shown.IsZero() {
		return api.Empty{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send the session token, or refresh_token in the body.")
	}
	if err := p.service.Logout(r.Context(), c.session, shown, c.requestID); err != nil {
		return api.Empty{}, err
	}
	if c.cookies {
		dropCookies(c.answer)
	}
	return api.Empty{}, nil
}

func (p *public) list(r *http.Request, c call) (api.SessionList, error) {
	current, all, err := p.service.List(r.Context(), c.session)
	if err != nil {
		return api.SessionList{}, err
	}
	out := api.SessionList{Sessions: []api.Session{}}
	for _, row := range all {
		out.Sessions = append(out.Sessions, object(row, current.ID))
	}
	return out, nil
}

func (p *public) current(r *http.Request, c call) (api.Session, error) {
	row, err := p.service.Current(r.Context(), c.session)
	if !c.cookies {
		return object(row, row.ID), err
	}
	if err != nil {
		return api.Session{}, p.helpRefresh(c, err)
	}
	o := object(row, row.ID)
	o.CSRFToken = p.proof(row.ID)
	return o, nil
}

// helpRefresh adds the proof to the refusal of a token whose time is over: a
// page that was loaded anew could not refresh without.
func (p *public) helpRefresh(c call, err error) error {
	f := failureOf(err)
	if _, id, ok := p.service.Recognise(c.session); ok && f.shown.Details != nil && f.shown.Details.Reason == session.ReasonTokenExpired {
		f.shown.Details.CSRFToken = p.proof(id)
	}
	return f
}

func (p *public) end(r *http.Request, c call) (api.Empty, error) {
	id, err := token.ParseID(r.PathValue("id"))
	if err != nil {
		id = token.ID{} // no session has it: the answer is that of any unknown id
	}
	return api.Empty{}, p.service.End(r.Context(), c.session, id, c.requestID)
}

func (p *public) endOthers(r *http.Request, c call) (api.EndCount, error) {
	include := r.URL.Query()["include"]
	if len(include) > 1 || len(include) == 1 && include[0] != "current" {
		return api.EndCount{}, refuse(http.StatusBadRequest, api.InvalidRequest, "include may be current.")
	}
	n, err := p.service.EndOthers(r.Context(), c.session, len(include) == 1, c.requestID)
	if err == nil && len(include) == 1 && c.cookies {
		dropCookies(c.answer)
	}
	return api.EndCount{Ended: n}, err
}

func (p *public) amend(r *http.Request, c call, in api.AmendRequest) (api.Tokens, error) {
	change := session.AmendRequest{DeviceLabel: in.DeviceLabel, RequestID: c.requestID}
	if in.Permissions != nil {
		change.Permissions = *in.Permissions
	}
	if change.Permissions == nil && change.DeviceLabel == nil {
		return api.Tokens{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send permissions or device_label.")
	}
	out, err := p.service.Amend(r.Context(), c.session, change)
	return p.issue(c, out), err
}

func (p *public) activity(r *http.Request, c call) (api.Ends, error) {
	row, err := p.service.Touch(r.Context(), c.session)
	o := object(row, row.ID)
	return api.Ends{ExpiresAt: o.ExpiresAt, IdleExpiresAt: o.IdleExpiresAt, SessionExpiresAt: o.SessionExpiresAt}, err
}

func (p *public) reauthenticate(r *http.Request, c call, in api.ReauthenticateRequest) (api.Tokens, error) {
	out, err := p.service.Reauthenticate(r.Context(), c.session, in.Credential, c.requestID)
	return p.issue(c, out), err
}

func (p *public) jwks(w http.ResponseWriter, _ *http.Request, _ call) error {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(p.service.Keys().JWKS())
	return ignoreWrite(err)
}

// describe serves a description.
func describe(text []byte) func(http.ResponseWriter, *http.Request, call) error {
	return func(w http.ResponseWriter, _ *http.Request, _ call) error {
		w.Header().Set("Content-Type", "application/yaml")
		_, err := w.Write(text)
		return ignoreWrite(err)
	}
}

// ignoreWrite drops the error of a client that went away while it was answered.
func ignoreWrite(error) error { return nil }

func (p *public) health(*http.Request, call) (api.Empty, error) { return api.Empty{}, nil }

func (p *public) ready(r *http.Request, _ call) (api.Empty, error) {
	if err := p.service.Ready(r.Context()); err != nil {
		return api.Empty{}, errors.Join(errors.New("not ready"), err)
	}
	return api.Empty{}, nil
}
