package httpapi

import (
	"fmt"
	"net/http"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// Operator returns the handler of the operator listener: metrics for those who
// look from inside, and the acts of those who show an operator's key.
func Operator(s *session.Service, metrics http.Handler, opts Options) (http.Handler, error) {
	o := &operators{s}
	routes := []route{
		{access: operator, method: "GET", path: "/metrics", handle: func(w http.ResponseWriter, r *http.Request, _ call) error {
			metrics.ServeHTTP(w, r)
			return nil
		}},
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
	return []operatorRoute{
		{session.ActOnPeople, "POST", "/pseudonyms/{id}/block", handle(200, false, o.block), nil},
		{session.ActOnPeople, "DELETE", "/pseudonyms/{id}/block", handle(200, false, o.unblock), nil},
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
	return session.Act{Operator: c.operator, Reason: reason}
}

func (o *operators) block(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	return api.Empty{}, o.service.Block(r.Context(), r.PathValue("id"), c.act(in.Reason))
}

func (o *operators) unblock(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	return api.Empty{}, o.service.Unblock(r.Context(), r.PathValue("id"), c.act(in.Reason))
}
