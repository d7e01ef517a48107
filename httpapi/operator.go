package httpapi

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

//go:embed operator.yaml
var operatorAPI []byte

// Operator returns the handler of the operator listener: metrics for those who
// look from inside, its description, and the acts of those who show an operator's
// key.
func Operator(s *session.Service, metrics http.Handler, opts Options) (http.Handler, error) {
	o := &operators{s}
	routes := []route{
		{access: operator, method: "GET", path: "/metrics", handle: func(w http.ResponseWriter, r *http.Request, _ call) error {
			metrics.ServeHTTP(w, r)
			return nil
		}},
		{access: anyone, method: "GET", path: "/openapi.yaml", handle: describe(operatorAPI)},
	}
	for _, rt := range o.routes() {
		if !session.RoleRoot.May(rt.needs) {
			return nil, fmt.Errorf("httpapi: %s %s does not say what right it needs", rt.method, rt.path)
		}
		routes = append(routes, route{
			access: operator, method: rt.method, path: api.OperatorPath + rt.path, queries: rt.queries, handle: o.authorised(rt),
		})
	}
	return newMux(opts, routes, nil)
}

// operators serves operators' calls.
type operators struct{ service *session.Service }

// operatorRoute is a call, and the right that it needs.
type operatorRoute struct {
	needs   session.Right
	method  string
	path    string
	handle  func(w http.ResponseWriter, r *http.Request, c call) error
	queries []string
}

func (o *operators) routes() []operatorRoute {
	const see, act = session.SeePeople, session.ActOnPeople
	page := []string{"after", "limit"}
	return []operatorRoute{
		{session.SeeOperators, "GET", "/operators", get(o.operators), page},
		{session.ManageOperators, "POST", "/operators", handle(201, false, o.addOperator), nil},
		{session.ManageOperators, "DELETE", "/operators/{id}", handle(200, false, o.revokeOperator), nil},
		{session.SeeOperators, "GET", "/services", get(o.services), page},
		{session.ManageOperators, "POST", "/services", handle(201, false, o.addService), nil},
		{session.ManageOperators, "DELETE", "/services/{id}", handle(200, false, o.revokeService), nil},
		{session.SeeTrail, "GET", "/records", get(o.records), page},
		{session.SeeTrail, "GET", "/records/anonymous", get(o.anonymousRecords), page},
		{see, "GET", "/professionals", get(o.professionals), append([]string{"review"}, page...)},
		{act, "POST", "/professionals", handle(201, false, o.addProfessional), nil},
		{act, "POST", "/professionals/import", o.importFile, []string{"all_or_nothing", "reason"}},
		{see, "GET", "/professionals/{id}", get(o.professional), nil},
		{act, "PATCH", "/professionals/{id}", handle(200, false, o.amendProfessional), nil},
		{act, "POST", "/professionals/{id}/confirm", handle(200, false, o.confirm), nil},
		{act, "POST", "/professionals/confirm", handle(200, false, o.confirmAll), nil},
		{see, "GET", "/licences", get(o.licenceHolder), []string{"authority", "number"}},
		{act, "POST", "/licences/verify", handle(200, false, o.onLicence(session.LicenceVerify)), nil},
		{act, "POST", "/licences/suspend", handle(200, false, o.onLicence(session.LicenceSuspend)), nil},
		{act, "POST", "/licences/revoke", handle(200, false, o.onLicence(session.LicenceRevoke)), nil},
		{act, "POST", "/licences/reinstate", handle(200, false, o.onLicence(session.LicenceReinstate)), nil},
		{see, "GET", "/subjects/{id}/sessions", get(o.sessionsOf), nil},
		{act, "DELETE", "/subjects/{id}/sessions", handle(200, false, o.endSessionsOf), nil},
		{see, "GET", "/sessions", get(o.sessions), append(slices.Clone(selectionParts), page...)},
		{act, "DELETE", "/sessions/{id}", handle(200, false, o.endSession), nil},
		{act, "POST", "/sessions/end", handle(200, false, o.endMany), nil},
		{act, "POST", "/subjects/{id}/block", handle(200, false, o.block), nil},
		{act, "DELETE", "/subjects/{id}/block", handle(200, false, o.unblock), nil},
		{act, "DELETE", "/users/{id}", handle(200, false, o.erase), nil},
	}
}

// authorised serves a call to an operator who has its right. Nothing of anybody
// else's request is read but the key.
func (o *operators) authorised(rt operatorRoute) func(http.ResponseWriter, *http.Request, call) error {
	return func(w http.ResponseWriter, r *http.Request, c call) error {
		who, err := o.service.Authorise(r.Context(), c.credential, rt.needs)
		if err != nil {
			return err
		}
		c.operator = who.ID
		return rt.handle(w, r, c)
	}
}

// act is what the operator does, for the reason that they give.
func (c *call) act(reason string) session.Act {
	return session.Act{Operator: c.operator, Reason: reason, RequestID: c.requestID}
}

// pageOf reads which part of a list is asked for.
func pageOf(r *http.Request) (after string, limit int, err error) {
	values := r.URL.Query()
	after, limit = values.Get("after"), defaultPage
	for _, name := range []string{"after", "limit"} {
		if len(values[name]) > 1 {
			return "", 0, refuse(http.StatusBadRequest, api.InvalidRequest, name+" is given twice.")
		}
	}
	if values.Has("limit") {
		if limit, err = strconv.Atoi(values.Get("limit")); err != nil || limit < 1 || limit > maxPage {
			return "", 0, refuse(http.StatusBadRequest, api.InvalidRequest, "limit is a number from 1 to 1000.")
		}
	}
	return after, limit, nil
}

const (
	defaultPage = 100
	maxPage     = 1000
)

func (o *operators) operators(r *http.Request, _ call) (api.OperatorList, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return api.OperatorList{}, err
	}
	list, err := o.service.Operators(r.Context(), after, limit)
	return api.OperatorList{Operators: each(list, operatorObject)}, err
}

func (o *operators) addOperator(r *http.Request, c call, in api.AddOperatorRequest) (api.Operator, error) {
	who, key, err := o.service.AddOperator(r.Context(), in.Name, session.Role(in.Role), c.act(in.Reason))
	out := operatorObject(who)
	out.Key = key
	return out, err
}

func (o *operators) revokeOperator(r *http.Request, c call, in api.OperatorRequest) (api.Operator, error) {
	who, err := o.service.RevokeOperator(r.Context(), r.PathValue("id"), c.act(in.Reason))
	return operatorObject(who), err
}

func operatorObject(o session.Operator) api.Operator {
	out := api.Operator{OperatorID: o.ID, Name: o.Name, Role: string(o.Role), CreatedAt: stamp(o.CreatedAt)}
	if !o.RevokedAt.IsZero() {
		out.RevokedAt = stamp(o.RevokedAt)
	}
	return out
}

func (o *operators) services(r *http.Request, _ call) (api.ServiceKeyList, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return api.ServiceKeyList{}, err
	}
	list, err := o.service.Services(r.Context(), after, limit)
	return api.ServiceKeyList{Services: each(list, serviceObject)}, err
}

func (o *operators) addService(r *http.Request, c call, in api.AddServiceRequest) (api.ServiceKey, error) {
	who, key, err := o.service.AddService(r.Context(), in.Name, c.act(in.Reason))
	out := serviceObject(who)
	out.Key = key
	return out, err
}

func (o *operators) revokeService(r *http.Request, c call, in api.OperatorRequest) (api.ServiceKey, error) {
	who, err := o.service.RevokeService(r.Context(), r.PathValue("id"), c.act(in.Reason))
	return serviceObject(who), err
}

func serviceObject(o session.Operator) api.ServiceKey {
	out := api.ServiceKey{ServiceID: o.ID, Name: o.Name, CreatedAt: stamp(o.CreatedAt)}
	if !o.RevokedAt.IsZero() {
		out.RevokedAt = stamp(o.RevokedAt)
	}
	return out
}

func (o *operators) sessionsOf(r *http.Request, _ call) (api.SessionList, error) {
	list, err := o.service.Sessions(r.Context(), session.Selection{SubjectID: r.PathValue("id")}, token.ID{}, maxPage)
	return api.SessionList{Sessions: each(list, liveObject)}, err
}

func (o *operators) endSessionsOf(r *http.Request, c call, in api.OperatorRequest) (api.SubjectEnd, error) {
	n, err := o.service.EndSessionsOf(r.Context(), r.PathValue("id"), c.act(in.Reason))
	if n < 0 {
		return api.SubjectEnd{}, err
	}
	return api.SubjectEnd{Ended: &n}, err
}

func (o *operators) endSession(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	id, err := token.ParseID(r.PathValue("id"))
	if err != nil {
		id = token.ID{} // no session has it
	}
	return api.Empty{}, o.service.EndSession(r.Context(), id, c.act(in.Reason))
}

func (o *operators) block(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	return api.Empty{}, o.service.Block(r.Context(), r.PathValue("id"), c.act(in.Reason))
}

func (o *operators) unblock(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	return api.Empty{}, o.service.Unblock(r.Context(), r.PathValue("id"), c.act(in.Reason))
}

func (o *operators) erase(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	return api.Empty{}, o.service.EraseUser(r.Context(), r.PathValue("id"), c.act(in.Reason))
}

// each is what f makes of a list, as a JSON array, never null.
func each[In, Out any](list []In, f func(In) Out) []Out {
	out := make([]Out, len(list))
	for i := range list {
		out[i] = f(list[i])
	}
	return out
}
