package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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

// Whoever ends a pseudonym's sessions every second would learn when it comes, if
// they were told how many there were.
func TestAnEndDoesNotTellWhetherAPseudonymIsHere(t *testing.T) {
	w := newWorld(t, openGroup)
	m := w.newMember()
	m.enrol()
	here, pseudonym := m.signInAnonymously()
	ada := w.newOperator("operator")
	end := func() string {
		t.Helper()
		a := w.act("DELETE", "/subjects/"+pseudonym+"/sessions", ada.Key, api.OperatorRequest{Reason: "whether they are there"})
		w.want(a, 200, "")
		return string(a.Body)
	}
	with := end()
	w.want(w.validate(here.SessionToken), 401, api.SessionInvalid)
	if without := end(); with != without {
		t.Errorf("%s with a session, %s without", with, without)
	}
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
	"GET /operator/v1/operators":                   "viewer operator auditor root",
	"POST /operator/v1/operators":                  "root",
	"DELETE /operator/v1/operators/{id}":           "root",
	"GET /operator/v1/services":                    "viewer operator auditor root",
	"POST /operator/v1/services":                   "root",
	"DELETE /operator/v1/services/{id}":            "root",
	"GET /operator/v1/records":                     "auditor root",
	"GET /operator/v1/records/anonymous":           "auditor root",
	"GET /operator/v1/professionals":               "viewer operator root",
	"POST /operator/v1/professionals":              "operator root",
	"POST /operator/v1/professionals/import":       "operator root",
	"GET /operator/v1/professionals/{id}":          "viewer operator root",
	"PATCH /operator/v1/professionals/{id}":        "operator root",
	"POST /operator/v1/professionals/{id}/confirm": "operator root",
	"POST /operator/v1/professionals/confirm":      "operator root",
	"GET /operator/v1/licences":                    "viewer operator root",
	"POST /operator/v1/licences/verify":            "operator root",
	"POST /operator/v1/licences/suspend":           "operator root",
	"POST /operator/v1/licences/revoke":            "operator root",
	"POST /operator/v1/licences/reinstate":         "operator root",
	"GET /operator/v1/subjects/{id}/sessions":      "viewer operator root",
	"DELETE /operator/v1/subjects/{id}/sessions":   "operator root",
	"DELETE /operator/v1/sessions/{id}":            "operator root",
	"POST /operator/v1/subjects/{id}/block":        "operator root",
	"DELETE /operator/v1/subjects/{id}/block":      "operator root",
	"GET /operator/v1/sessions":                    "viewer operator root",
	"POST /operator/v1/sessions/end":               "operator root",
	"DELETE /operator/v1/users/{id}":               "operator root",
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
	first := w.signIn(api.CreateRequest{DeviceLabel: "Firefox"})
	w.clock.Advance(time.Second)
	second := w.signIn(api.CreateRequest{})
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

// What an operator lists is what the same words would end; a list comes in pages,
// and garbage is refused rather than taken for everything.
func TestAnOperatorListsWhatTheyWouldEnd(t *testing.T) {
	w := newWorld(t)
	viewer, ada := w.newOperator("viewer"), w.newOperator("operator")
	var all []string
	for range 5 {
		all = append(all, w.signIn(api.CreateRequest{}).SessionID)
		w.clock.Advance(time.Minute)
	}
	user := data[api.SessionList](t, w.act("GET", "/sessions?limit=1", viewer.Key, nil)).Sessions[0].UserID
	list := func(query string) (ids []string) {
		t.Helper()
		got := data[api.LiveList](t, w.act("GET", "/sessions?"+query, viewer.Key, nil))
		for _, o := range got.Sessions {
			ids = append(ids, o.SessionID)
		}
		if got.Sessions == nil || got.Anonymous != 0 {
			t.Errorf("%s: %+v", query, got)
		}
		return ids
	}
	var paged []string
	for after := ""; ; after = paged[len(paged)-1] {
		page := list("limit=2&after=" + after)
		if paged = append(paged, page...); len(page) < 2 {
			break
		}
	}
	if !slices.Equal(paged, all) {
		t.Errorf("in pages %v, want %v", paged, all)
	}
	span := "created_from=2026-11-23T10:01:00Z&created_before=2026-11-23T10:03:00Z"
	for query, want := range map[string][]string{
		"": all, "session_type=standard": all, "session_type=professional": nil, "session_type=anonymous": nil,
		"subject_id=" + user: all, "subject_id=user_nobody": nil, span: all[1:3], span + "&subject_id=" + user: all[1:3],
		"created_from=2026-11-23T12:03:00%2B02:00": all[3:],
	} {
		if got := list(query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{
		"session_type=", "session_type=x", "subject_id=", "key_id=", "created_from=", "created_before=yesterday", "created_from=2026-11-23", "created_from=0000-01-01T00:00:00Z",
		"created_from=2026-11-23T10:00:00.Z", "session_type=standard&session_type=standard", "after=x", "after=" + all[0] + "%00", "after=" + all[0] + "&after=" + all[0], "limit=0", "subject_id=anon_x", "type=standard", "%zz",
	} {
		w.want(w.act("GET", "/sessions?"+query, viewer.Key, nil), 400, api.InvalidRequest)
	}
	w.want(w.act("GET", "/sessions?key_id=x", viewer.Key, nil), 404, api.NotFound)
	w.want(w.act("GET", "/subjects/anon_x/sessions", viewer.Key, nil), 400, api.InvalidRequest)

	why := "a stolen laptop"
	for _, body := range []string{
		`{"reason":"` + why + `"}`, `{"reason":"` + why + `","all":true,"session_type":"standard"}`, `{"reason":"` + why + `","all":true,"subject_id":"x"}`,
		`{"reason":"` + why + `","created_from":"yesterday"}`, `{"reason":"` + why + `","Selection":{}}`, `{"reason":"` + why + `","session_type":""}`,
	} {
		w.want(w.act("POST", "/sessions/end", ada.Key, body), 400, api.InvalidRequest)
	}
	w.want(w.act("POST", "/sessions/end", viewer.Key, `{"reason":"`+why+`","all":true}`), 403, api.PermissionDenied)
	if got := list(""); len(got) != 5 {
		t.Errorf("a refused end ended: %v", got)
	}
	w.want(w.act("POST", "/sessions/end", ada.Key, api.EndManyRequest{Selection: api.Selection{SubjectID: user, CreatedFrom: "2026-11-23T10:01:00Z", CreatedBefore: "2026-11-23T10:03:00Z"}, Reason: why}), 200, "")
	if got, want := list(""), slices.Concat(all[:1], all[3:]); !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	w.want(w.act("POST", "/sessions/end", ada.Key, api.EndManyRequest{Selection: api.Selection{CreatedFrom: "2026-11-23T10:03:00Z"}, Reason: why}), 200, "")
	if got := list(""); !slices.Equal(got, all[:1]) {
		t.Errorf("left %v, want %v", got, all[:1])
	}
}

// An auditor reads the trail of pseudonyms, page by page, and learns no fine time
// by it.
func TestAnAuditorReadsTheTrailOfPseudonyms(t *testing.T) {
	w := newWorld(t, openGroup)
	auditor, ada := w.newOperator("auditor"), w.newOperator("operator")
	member := w.newMember()
	member.enrol()
	_, who := member.signInAnonymously()
	w.want(w.act("POST", "/subjects/"+who+"/block", ada.Key, api.OperatorRequest{Reason: "abuse, report 7"}), 200, "")
	trail := func(query string) []api.AnonymousRecord {
		t.Helper()
		return data[api.AnonymousRecordList](t, w.act("GET", "/records/anonymous?"+query, auditor.Key, nil)).Records
	}
	if got := trail(""); got == nil || len(got) != 0 {
		t.Errorf("read as it came: %+v", got)
	}
	w.clock.Advance(15 * time.Minute)
	acts := map[string]int{}
	after, pages := "", 0
	for {
		page := trail("limit=1&after=" + after)
		if len(page) == 0 {
			break
		}
		r := page[0]
		if acts[r.Action+" "+r.Actor+" "+r.Detail]++; r.SubjectID != who || !strings.HasSuffix(r.At, "0:00Z") && !strings.HasSuffix(r.At, "5:00Z") {
			t.Errorf("%+v", r)
		}
		after = r.Key
		pages++
	}
	for _, want := range []string{"session.create  ", "session.end  revoked", "subject.block " + ada.OperatorID + " abuse, report 7"} {
		if acts[want] != 1 {
			t.Errorf("%q is there %d times: %v", want, acts[want], acts)
		}
	}
	if whole := trail("limit=1000"); len(whole) != pages {
		t.Errorf("%d at once and %d in pages", len(whole), pages)
	}
	for _, bad := range []string{"after=x", "after=" + after[:39], "after=" + after + "00", "after=" + strings.Repeat("g", 40), "after=-1", "limit=0"} {
		w.want(w.act("GET", "/records/anonymous?"+bad, auditor.Key, nil), 400, api.InvalidRequest)
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
