package httpapi

import (
	"net/http"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// selectionParts are the parts of a selection in a query.
var selectionParts = []string{"subject_id", "session_type", "created_from", "created_before", "key_id"}

// selectionOf reads what names sessions.
func selectionOf(in api.Selection) (session.Selection, error) {
	out := session.Selection{SubjectID: in.SubjectID, Type: session.Type(in.SessionType), KeyID: in.KeyID}
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{{"created_from", in.CreatedFrom, &out.CreatedFrom}, {"created_before", in.CreatedBefore, &out.CreatedBefore}} {
		if t.text == "" {
			continue
		}
		if err := t.to.UnmarshalText([]byte(t.text)); err != nil || t.to.Year() < 1970 { // strict, unlike time.Parse
			return out, refuse(http.StatusBadRequest, api.InvalidRequest, t.name+" is a time of RFC 3339, such as 2026-11-25T10:00:00Z.")
		}
	}
	return out, nil
}

// selectionQuery reads what names sessions from a query. A part that is there
// says something: an empty one would select everything.
func selectionQuery(r *http.Request) (session.Selection, error) {
	values := r.URL.Query()
	for _, name := range selectionParts {
		if given := values[name]; len(given) > 1 || len(given) == 1 && given[0] == "" {
			return session.Selection{}, refuse(http.StatusBadRequest, api.InvalidRequest, name+" is given once, or not at all.")
		}
	}
	return selectionOf(api.Selection{
		SubjectID: values.Get("subject_id"), SessionType: values.Get("session_type"),
		CreatedFrom: values.Get("created_from"), CreatedBefore: values.Get("created_before"), KeyID: values.Get("key_id"),
	})
}

func (o *operators) sessions(r *http.Request, _ call) (api.LiveList, error) {
	sel, err := selectionQuery(r)
	if err != nil {
		return api.LiveList{}, err
	}
	after, limit, err := pageOf(r)
	if err != nil {
		return api.LiveList{}, err
	}
	var from token.ID
	if after != "" {
		if from, err = token.ParseID(after); err != nil {
			return api.LiveList{}, refuse(http.StatusBadRequest, api.InvalidRequest, "after is the id of a session.")
		}
	}
	list, err := o.service.Sessions(r.Context(), sel, from, limit)
	if err != nil {
		return api.LiveList{}, err
	}
	return api.LiveList{Sessions: each(list, liveObject), Anonymous: o.service.AnonymousCount()}, nil
}

func (o *operators) endMany(r *http.Request, c call, in api.EndManyRequest) (api.Empty, error) {
	sel, err := selectionOf(in.Selection)
	if err != nil {
		return api.Empty{}, err
	}
	if in.All == (in.Selection != api.Selection{}) {
		return api.Empty{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send subject_id, session_type, created_from, created_before or key_id, or all alone.")
	}
	return api.Empty{}, o.service.EndMany(r.Context(), sel, c.act(in.Reason))
}

// liveObject is somebody's session as an operator sees it.
func liveObject(row session.Session) api.Session { return object(row, token.ID{}) }
