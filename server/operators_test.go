package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/mentalverse/session/api"
)

const acting = "/operator/v1"

// act makes an operator's call. A body that is no text is marshalled.
func (w *world) act(method, path, key string, body any) answer {
	w.t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		text = string(mustJSON(w.t, body))
	}
	return w.operator(method, acting+path, key, text)
}

// newOperator makes an operator with the root key.
func (w *world) newOperator(role string) api.Operator {
	w.t.Helper()
	a := w.act("POST", "/operators", w.operatorKey(), api.AddOperatorRequest{Name: "Ada, " + role, Role: role, Reason: "on the team"})
	if a.Status != http.StatusCreated {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	return data[api.Operator](w.t, a)
}

// newService makes a service's key with the root key.
func (w *world) newService(name string) api.ServiceKey {
	w.t.Helper()
	a := w.act("POST", "/services", w.operatorKey(), api.AddServiceRequest{Name: name, Reason: "a new service"})
	if a.Status != http.StatusCreated {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	return data[api.ServiceKey](w.t, a)
}

// described are the calls of a description, "METHOD path".
func described(t *testing.T, file string) (out []string) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			out = append(out, method+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

// who may call what. A call that is described and not here fails the test.
var mayCall = map[string]string{
	"GET /operator/v1/operators":                 "viewer operator auditor root",
	"POST /operator/v1/operators":                "root",
	"DELETE /operator/v1/operators/{id}":         "root",
	"GET /operator/v1/services":                  "viewer operator auditor root",
	"POST /operator/v1/services":                 "root",
	"DELETE /operator/v1/services/{id}":          "root",
	"GET /operator/v1/records":                   "auditor root",
	"GET /operator/v1/professionals":             "viewer operator root",
	"POST /operator/v1/professionals":            "operator root",
	"POST /operator/v1/professionals/import":     "operator root",
	"GET /operator/v1/professionals/{id}":        "viewer operator root",
	"PATCH /operator/v1/professionals/{id}":      "operator root",
	"GET /operator/v1/licences":                  "viewer operator root",
	"POST /operator/v1/licences/verify":          "operator root",
	"POST /operator/v1/licences/suspend":         "operator root",
	"POST /operator/v1/licences/revoke":          "operator root",
	"POST /operator/v1/licences/reinstate":       "operator root",
	"GET /operator/v1/subjects/{id}/sessions":    "viewer operator root",
	"DELETE /operator/v1/subjects/{id}/sessions": "operator root",
	"DELETE /operator/v1/sessions/{id}":          "operator root",
	"POST /operator/v1/subjects/{id}/block":      "operator root",
	"DELETE /operator/v1/subjects/{id}/block":    "operator root",
	"POST /operator/v1/sessions/end":             "operator root",
	"DELETE /operator/v1/users/{id}":             "operator root",
}

// Each call, by each role, by a key that was revoked, by a wrong one and by
// none: whoever may not gets no further than that.
func TestEachRoleMayCallWhatItIsFor(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(api.CreateRequest{})
	keys := map[string]string{"root": w.operatorKey(), "none": "", "a session's": session.SessionToken, "wrong": "op_aaaaaaaaaaaaaaaa_" + strings.Repeat("A", 43)}
	for _, role := range []string{"viewer", "operator", "auditor"} {
		keys[role] = w.newOperator(role).Key
	}
	keys["service"] = w.newService("chat").Key
	gone := w.newOperator("operator")
	w.want(w.act("DELETE", "/operators/"+gone.OperatorID, w.operatorKey(), api.OperatorRequest{Reason: "left the team"}), 200, "")
	keys["revoked"] = gone.Key

	calls := described(t, "../httpapi/operator.yaml")
	cells := 0
	for _, call := range calls {
		allowed, known := mayCall[call]
		if !known {
			t.Errorf("%s: nobody says who may call it", call)
		}
		method, path, _ := strings.Cut(call, " ")
		path = strings.Replace(path, "{id}", "x", 1)
		for who, key := range keys {
			// Those who may are refused for the body, or answered; nothing changes.
			a := w.operator(method, path, key, "{")
			cells++
			switch role := slices.Contains([]string{"viewer", "operator", "auditor", "service", "root"}, who); {
			case slices.Contains(strings.Fields(allowed), who):
				if a.Status == 401 || a.Status == 403 || a.Status == 405 || a.code() == api.NotFound && method != "GET" {
					t.Errorf("%s by %s: %d %s", call, who, a.Status, a.Body)
				}
			case role && (a.Status != 403 || a.code() != api.PermissionDenied), !role && (a.Status != 401 || a.code() != api.CredentialInvalid):
				t.Errorf("%s by %s: %d %s", call, who, a.Status, a.Body)
			}
		}
	}
	if len(calls) != len(mayCall) || cells < 100 {
		t.Errorf("%d calls are described, and %d are known", len(calls), len(mayCall))
	}
	t.Logf("%d cells", cells)
	w.want(w.validate(session.SessionToken), 200, "")
	// None of these keys opens anything of the public API.
	for _, key := range []string{keys["root"], keys["operator"]} {
		w.want(w.validate(key), 401, api.SessionInvalid)
	}
}

// Keys are made with the root key alone, shown once, and are in nothing that is
// kept or logged.
func TestAKeyIsShownOnce(t *testing.T) {
	w := newWorld(t)
	ada := w.newOperator("operator")
	if !regexp.MustCompile(`^op_[a-z2-7]{16}_[A-Za-z0-9_-]{43}$`).MatchString(ada.Key) {
		t.Errorf("a key of another shape")
	}
	list := w.act("GET", "/operators", ada.Key, nil)
	if got := data[api.OperatorList](t, list).Operators; len(got) != 1 || got[0].Name != ada.Name || got[0].Key != "" || strings.Contains(string(list.Body), ada.Key[20:]) {
		t.Errorf("%s", list.Body)
	}
	for _, bad := range []api.AddOperatorRequest{
		{Name: "", Role: "viewer", Reason: "on the team"}, {Name: "Bob", Role: "root", Reason: "on the team"}, {Name: "Bob", Role: "", Reason: "on the team"}, {Name: "Bob", Role: "viewer"},
	} {
		w.want(w.act("POST", "/operators", w.operatorKey(), bad), 400, api.InvalidRequest)
	}
	w.want(w.act("DELETE", "/operators/op_nobody", w.operatorKey(), api.OperatorRequest{Reason: "left the team"}), 404, api.NotFound)
	for range 2 {
		if o := data[api.Operator](t, w.act("DELETE", "/operators/"+ada.OperatorID, w.operatorKey(), api.OperatorRequest{Reason: "left the team"})); o.RevokedAt == "" {
			t.Errorf("%+v", o)
		}
	}
	w.want(w.act("GET", "/operators", ada.Key, nil), 401, api.CredentialInvalid)

	auditor := w.newOperator("auditor")
	var trail []string
	for _, r := range data[api.RecordList](t, w.act("GET", "/records", auditor.Key, nil)).Records {
		trail = append(trail, r.Action+" "+r.Actor+" "+r.Detail)
	}
	if want := []string{"operator.add op_root on the team", "operator.revoke op_root left the team", "operator.add op_root on the team"}; !slices.Equal(trail, want) {
		t.Errorf("the trail is %v", trail)
	}
	secrets := newHunt()
	var answers []string
	for _, key := range []string{ada.Key, auditor.Key, w.operatorKey()} {
		secrets.add(key[len(key)-43:])
		for _, a := range []answer{
			w.act("GET", "/operators?key="+key, "", nil), w.act("GET", "/professionals/"+key, auditor.Key, nil), w.act("GET", "/"+key, key+"x", nil),
			w.act("DELETE", "/operators/"+key, key, api.OperatorRequest{Reason: "left the team"}), w.act("POST", "/operators", w.operatorKey(), `{"`+key+`":1}`),
		} {
			answers = append(answers, string(a.Body))
		}
	}
	w.stop()
	for _, file := range []string{"sessions.db", "sessions.db-wal"} {
		if b, err := os.ReadFile(filepath.Join(w.data, file)); err == nil {
			answers = append(answers, string(b))
		}
	}
	for _, text := range append(answers, w.log.String()) {
		if found := secrets.find([]byte(text)); found != "" {
			t.Errorf("a key in the open: %q", found)
		}
	}
	if secrets.find([]byte("Bearer "+ada.Key)) == "" {
		t.Error("the hunt finds nothing at all")
	}
}

// Lists come in pages.
func TestListsComeInPages(t *testing.T) {
	w := newWorld(t)
	root := w.operatorKey()
	for range 5 {
		w.newOperator("viewer")
	}
	var seen []string
	for after := ""; ; {
		list := data[api.OperatorList](t, w.act("GET", "/operators?limit=2&after="+after, root, nil)).Operators
		if len(list) == 0 {
			break
		}
		for _, o := range list {
			seen, after = append(seen, o.OperatorID), o.OperatorID
		}
	}
	if len(seen) != 5 || !slices.IsSorted(seen) {
		t.Errorf("%v", seen)
	}
	records := data[api.RecordList](t, w.act("GET", "/records?limit=1&after=4", root, nil)).Records
	if len(records) != 1 || records[0].Position != 5 {
		t.Errorf("%+v", records)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "after=a&after=b", "page=1"} {
		w.want(w.act("GET", "/operators?"+query, root, nil), 400, api.InvalidRequest)
	}
	w.want(w.act("GET", "/records?after=x", root, nil), 400, api.InvalidRequest)
	w.want(w.act("GET", "/records?after=-1", root, nil), 400, api.InvalidRequest)
}

// An operator sees and ends anybody's sessions.
func TestAnOperatorEndsAnybodysSessions(t *testing.T) {
	w := newWorld(t)
	ada := w.newOperator("operator")
	first, second := w.signIn(api.CreateRequest{DeviceLabel: "Firefox"}), w.signIn(api.CreateRequest{})
	user := data[api.Validation](t, w.validate(first.SessionToken)).UserID
	list := data[api.SessionList](t, w.act("GET", "/subjects/"+user+"/sessions", ada.Key, nil)).Sessions
	if len(list) != 2 || list[0].SessionID != first.SessionID || list[0].DeviceLabel != "Firefox" || list[0].Current {
		t.Errorf("%+v", list)
	}
	why := api.OperatorRequest{Reason: "reported as stolen"}
	w.want(w.act("DELETE", "/sessions/"+first.SessionID, ada.Key, api.OperatorRequest{}), 400, api.InvalidRequest)
	w.want(w.act("DELETE", "/sessions/"+first.SessionID, ada.Key, why), 200, "")
	w.want(w.validate(first.SessionToken), 401, api.SessionInvalid)
	w.want(w.validate(second.SessionToken), 200, "")
	near := second.SessionID[:36] + "0"
	if near == second.SessionID {
		near = second.SessionID[:36] + "1"
	}
	for _, id := range []string{first.SessionID, "sess_0", near} {
		w.want(w.act("DELETE", "/sessions/"+id, ada.Key, why), 404, api.NotFound)
	}
	w.signIn(api.CreateRequest{})
	for _, want := range []int{2, 0} {
		if n := data[api.EndCount](t, w.act("DELETE", "/subjects/"+user+"/sessions", ada.Key, why)); n.Ended != want {
			t.Errorf("ended %d, want %d", n.Ended, want)
		}
	}
	w.want(w.refresh(second.RefreshToken), 401, api.RefreshFailed)
	if list := data[api.SessionList](t, w.act("GET", "/subjects/"+user+"/sessions", ada.Key, nil)); list.Sessions == nil || len(list.Sessions) != 0 {
		t.Errorf("%+v", list)
	}
	acts := 0
	for _, r := range data[api.RecordList](t, w.act("GET", "/records", w.operatorKey(), nil)).Records {
		if r.Action == "session.revoke" && r.Actor == ada.OperatorID && r.SubjectID == user && r.Detail == why.Reason {
			acts++
		}
	}
	if acts != 3 {
		t.Errorf("%d acts are on record", acts)
	}
}

// An operator's body is as strict as any other.
func TestOperatorsBodiesAreStrict(t *testing.T) {
	w := newWorld(t)
	key := w.newOperator("operator").Key
	for _, body := range []string{"", "null", `{"reason":"on the team","reason":"twice"}`, `{"Reason":"on the team"}`, `{"reason":"on the team"} {}`, `{"reason":"on the team","x":1}`} {
		w.want(w.act("POST", "/subjects/anon_x/block", key, body), 400, api.InvalidRequest)
	}
	w.want(w.act("POST", "/professionals", key, `{"reason":"`+strings.Repeat("x", 17000)+`"}`), 413, api.PayloadTooLarge)
}
