package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
	"github.com/mentalverse/session/wallet/icp"
)

// importFile sends a file of licences; its header is the first line.
func (w *world) importFile(key, query string, lines ...string) answer {
	w.t.Helper()
	req, err := http.NewRequest("POST", w.operators()+acting+"/professionals/import?"+query, strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/csv; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+key)
	return w.do(req)
}

const licenceHeader = "number,authority,jurisdiction,status,valid_until,chain,address,person"

// practise tries to sign somebody in as a professional.
func (w *world) practise(who *icp.Identity, req api.CreateRequest) answer {
	w.t.Helper()
	c := data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{Chain: "icp", Address: who.Principal(), SessionType: "professional"}))
	credential, err := who.Credential(c.Message)
	if err != nil {
		w.t.Fatal(err)
	}
	req.SessionType = "professional"
	return w.call("POST", "/api/auth/sessions", credential, req)
}

// From a file to a session and its end: the whole life of a licence, on the
// server's clock.
func TestALicenceLivesAndEnds(t *testing.T) {
	w := newWorld(t)
	ada := w.newOperator("operator")
	report := data[api.ImportReport](t, w.importFile(ada.Key, "reason=the+list+of+November", licenceHeader,
		"PSY-7,Board of Bavaria,DE-BY,pending,2027-12-31,icp,"+w.person.Principal()+",",
		"PSY-8,Board of Bavaria,DE-BY,verified,2027-12-31,icp,"+w.newPerson().Principal()+",",
	))
	if !report.Committed || report.Added != 2 || len(report.Lines) != 2 || report.Lines[0].Line != 2 {
		t.Fatalf("%+v", report)
	}

	a := w.practise(w.person, api.CreateRequest{})
	w.want(a, 403, api.PermissionDenied)
	if a.reason() != "pending" {
		t.Errorf("reason %q", a.reason())
	}
	w.want(w.practise(w.newPerson(), api.CreateRequest{}), 403, api.PermissionDenied)
	licence := api.LicenceRequest{Authority: "Board of Bavaria", Number: "PSY-7", Reason: "seen the certificate"}
	p := data[api.Professional](t, w.act("POST", "/licences/verify", ada.Key, licence))
	if p.VerificationLevel != "verified" || p.VerifiedUntil != "2028-01-01T00:00:00Z" || p.ProfessionalID != report.Lines[0].ProfessionalID {
		t.Errorf("%+v", p)
	}

	a = w.practise(w.person, api.CreateRequest{Activity: "reported"})
	w.want(a, 201, "")
	s := data[api.Tokens](t, a)
	standard := w.signIn(api.CreateRequest{})

	// The specification's professional session object, field by field.
	current := w.call("GET", "/api/auth/sessions/current", s.SessionToken, nil)
	var object struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(current.Body, &object); err != nil {
		t.Fatal(err)
	}
	user := data[api.Validation](t, w.validate(standard.SessionToken)).UserID
	for name, want := range map[string]any{
		"session_id": s.SessionID, "user_id": user, "professional_id": p.ProfessionalID,
		"session_type": "professional", "verification_level": "verified",
		"created_at": "2026-11-23T10:00:00Z", "expires_at": "2026-11-24T10:00:00Z",
	} {
		if got := object.Data[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	var permissions []string
	for _, p := range object.Data["permissions"].([]any) {
		permissions = append(permissions, p.(string))
	}
	slices.Sort(permissions)
	if want := []string{"access:professional_tools", "manage:sessions", "read:all_profiles", "write:therapy_notes"}; !slices.Equal(permissions, want) {
		t.Errorf("permissions %v", permissions)
	}
	if id := object.Data["session_id"].(string); !strings.HasPrefix(id, "prof_") || !strings.HasPrefix(object.Data["professional_id"].(string), "lic_") {
		t.Errorf("ids %v", object.Data)
	}

	// What is sensitive needs a proof of the person that is fresh.
	may := func(token, permission string) answer {
		return w.call("GET", "/api/auth/sessions/validate?permission="+url.QueryEscape(permission), token, nil)
	}
	w.clock.Advance(15 * time.Minute)
	w.want(may(s.SessionToken, "read:all_profiles"), 200, "")
	w.clock.Advance(time.Second)
	for _, sensitive := range []string{"read:all_profiles", "write:therapy_notes", "manage:sessions"} {
		a := may(s.SessionToken, sensitive)
		w.want(a, 401, api.ReauthenticationRequired)
		if got := a.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_user_authentication"`) || !strings.Contains(got, `max_age="900"`) {
			t.Errorf("WWW-Authenticate: %s", got)
		}
	}
	w.want(may(s.SessionToken, "access:professional_tools"), 200, "")
	challenge := data[api.Challenge](t, w.call("POST", "/api/auth/challenge", s.SessionToken, api.ChallengeRequest{Purpose: "reauthenticate"}))
	credential, err := w.person.Credential(challenge.Message)
	if err != nil {
		t.Fatal(err)
	}
	s = data[api.Tokens](t, w.call("POST", "/api/auth/sessions/reauthenticate", s.SessionToken, api.ReauthenticateRequest{Credential: credential}))
	w.want(may(s.SessionToken, "read:all_profiles"), 200, "")

	// Suspended: gone with the answer, and the person's other session is not.
	licence.Reason = "complaint 12"
	before := time.Now()
	if p = data[api.Professional](t, w.act("POST", "/licences/suspend", ada.Key, licence)); p.VerificationLevel != "suspended" || p.VerifiedUntil != "" {
		t.Errorf("%+v", p)
	}
	w.want(w.validate(s.SessionToken), 401, api.SessionInvalid)
	t.Logf("refused %v after the suspension was sent", time.Since(before))
	w.want(w.refresh(s.RefreshToken), 401, api.RefreshFailed)
	w.want(w.validate(standard.SessionToken), 200, "")
	if a = w.practise(w.person, api.CreateRequest{}); a.reason() != "suspended" {
		t.Errorf("%d, reason %q", a.Status, a.reason())
	}
	w.want(w.act("POST", "/licences/verify", ada.Key, licence), 400, api.InvalidRequest)
	report = data[api.ImportReport](t, w.importFile(ada.Key, "reason=the+list+of+November", licenceHeader, "PSY-7,Board of Bavaria,DE-BY,verified,2027-12-31,,,"))
	if report.Refused != 1 || !strings.Contains(report.Lines[0].Why, "suspended") {
		t.Errorf("a file lifted a suspension: %+v", report)
	}
	licence.Reason = "cleared"
	w.want(w.act("POST", "/licences/reinstate", ada.Key, licence), 200, "")
	w.want(w.practise(w.person, api.CreateRequest{}), 201, "")
	w.stop()

	store, err := sqlite.OpenReadOnly(t.Context(), w.data+"/sessions.db")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	id, err := token.ParseID(s.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	if row, err := store.Session(t.Context(), id); err != nil || row.EndReason != session.EndLicenceChanged {
		t.Errorf("it ended by %q, %v", row.EndReason, err)
	}
	records, err := store.Records(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, r := range records {
		if r.Actor == ada.OperatorID && r.SubjectID == p.ProfessionalID && strings.HasPrefix(r.RequestID, "req_") {
			acts = append(acts, string(r.Action)+": "+r.Detail)
		}
	}
	if want := []string{
		"professional.import: the list of November", "licence.verify: seen the certificate", "licence.suspend: complaint 12", "licence.reinstate: cleared",
	}; !slices.Equal(acts, want) {
		t.Errorf("the trail is %v", acts)
	}
}

// The end of a licence is the end of its session, and of a shorter one's.
func TestASessionEndsWithItsLicence(t *testing.T) {
	w := newWorld(t)
	w.importFile(w.operatorKey(), "reason=a+test", licenceHeader, "7,Board,X,verified,2026-11-23T12:00:00Z,icp,"+w.person.Principal()+",")
	s := data[api.Tokens](t, w.practise(w.person, api.CreateRequest{Activity: "reported"}))
	if s.SessionExpiresAt != "2026-11-23T12:00:00Z" || s.ExpiresAt != s.SessionExpiresAt {
		t.Errorf("%+v", s)
	}
	for range 5 {
		w.clock.Advance(20 * time.Minute)
		w.want(w.validate(s.SessionToken), 200, "")
	}
	w.clock.Advance(20 * time.Minute)
	w.want(w.validate(s.SessionToken), 401, api.SessionExpired)
	if a := w.practise(w.person, api.CreateRequest{}); a.reason() != "expired" {
		t.Errorf("%d, reason %q", a.Status, a.reason())
	}
}

// The registry by hand: added, found, changed.
func TestTheRegistryByHand(t *testing.T) {
	w := newWorld(t)
	ada, viewer := w.newOperator("operator"), w.newOperator("viewer")
	add := func(number string, accounts ...api.Account) answer {
		return w.act("POST", "/professionals", ada.Key, api.AddProfessionalRequest{
			Accounts: accounts, Licences: []api.Licence{{Number: number, Authority: `The "Board"`, Jurisdiction: "DE-BY", ValidUntil: "2027-12-31"}}, Reason: "asked by mail",
		})
	}
	a := add("7/8 ü", api.Account{Chain: "icp", Address: w.person.Principal()})
	w.want(a, 201, "")
	p := data[api.Professional](t, a)
	if p.VerificationLevel != "pending" || p.Licences[0].Status != "pending" || p.Licences[0].ValidUntil != "2028-01-01T00:00:00Z" {
		t.Errorf("%+v", p)
	}
	w.want(add("7/8 ü"), 400, api.InvalidRequest)
	w.want(add("9", api.Account{Chain: "icp", Address: w.person.Principal()}), 400, api.InvalidRequest)
	w.want(add("9", api.Account{Chain: "icp", Address: "no-principal"}), 400, api.InvalidRequest)
	w.want(w.act("POST", "/professionals", ada.Key, api.AddProfessionalRequest{Licences: []api.Licence{{Number: "9", Authority: "Board", Jurisdiction: "X", ValidUntil: "soon"}}, Reason: "asked by mail"}), 400, api.InvalidRequest)
	w.want(w.act("POST", "/professionals", ada.Key, api.AddProfessionalRequest{Reason: "asked by mail"}), 400, api.InvalidRequest)

	query := "?" + url.Values{"authority": {`The "Board"`}, "number": {"7/8 ü"}}.Encode()
	for _, found := range []answer{w.act("GET", "/licences"+query, viewer.Key, nil), w.act("GET", "/professionals/"+p.ProfessionalID, viewer.Key, nil)} {
		if got := data[api.Professional](t, found); got.ProfessionalID != p.ProfessionalID || got.Accounts[0].Address != w.person.Principal() {
			t.Errorf("%+v", got)
		}
	}
	w.want(w.act("GET", "/professionals/lic_x", viewer.Key, nil), 404, api.NotFound)
	w.want(w.act("GET", "/licences?authority=Board&number=1", viewer.Key, nil), 404, api.NotFound)
	w.want(w.act("GET", "/licences?authority=Board", viewer.Key, nil), 400, api.InvalidRequest)

	// What is given replaces what was; what is not stays.
	patch := func(body any) answer { return w.act("PATCH", "/professionals/"+p.ProfessionalID, ada.Key, body) }
	got := data[api.Professional](t, patch(`{"accounts":[],"reason":"a lost wallet"}`))
	if len(got.Accounts) != 0 || len(got.Licences) != 1 {
		t.Errorf("%+v", got)
	}
	licences := append(got.Licences, api.Licence{Number: "9", Authority: "Board", Jurisdiction: "X", Status: "verified", ValidUntil: "2029-01-01T00:00:00+01:00"})
	got = data[api.Professional](t, patch(api.AmendProfessionalRequest{Licences: &licences, Reason: "a second one"}))
	if len(got.Licences) != 2 || got.VerificationLevel != "verified" || got.VerifiedUntil != "2028-12-31T23:00:00Z" {
		t.Errorf("%+v", got)
	}
	licences[1].Status = "revoked"
	w.want(patch(api.AmendProfessionalRequest{Licences: &licences, Reason: "by the back door"}), 400, api.InvalidRequest)
	w.want(patch(`{"licences":[],"reason":"none is left"}`), 400, api.InvalidRequest)
	w.want(patch(`{"accounts":[]}`), 400, api.InvalidRequest)

	for range 3 {
		w.importFile(ada.Key, "reason=a+few+more", licenceHeader, fmt.Sprintf("%d,Board,X,pending,2027-12-31,,,", time.Now().UnixNano()))
	}
	var seen []string
	for after := ""; ; {
		list := data[api.ProfessionalList](t, w.act("GET", "/professionals?limit=3&after="+after, viewer.Key, nil)).Professionals
		if len(list) == 0 {
			break
		}
		for _, p := range list {
			seen, after = append(seen, p.ProfessionalID), p.ProfessionalID
		}
	}
	if len(seen) != 4 || !slices.IsSorted(seen) {
		t.Errorf("%v", seen)
	}
}

// What is no file is refused before anything is done.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	w := newWorld(t)
	key := w.operatorKey()
	good := slices.Clip([]string{licenceHeader, "7,Board,X,verified,2027-12-31,,,"})
	for name, c := range map[string]struct {
		query string
		lines []string
		says  string
	}{
		"no reason":        {"", good, "reason"},
		"two reasons":      {"reason=because&reason=so", good, "once"},
		"neither":          {"reason=because&all_or_nothing=yes", good, "all_or_nothing"},
		"another question": {"reason=because&dry_run=true", good, "query parameter"},
		"no header":        {"reason=because", good[1:], "Line 1"},
		"breaks off":       {"reason=because", append(good, `8,"Board`), "Line 3"},
		"UTF-16":           {"reason=because", []string{"\xff\xfen\x00"}, "UTF-16"},
	} {
		a := w.importFile(key, c.query, c.lines...)
		w.want(a, 400, api.InvalidRequest)
		if !strings.Contains(string(a.Body), c.says) {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	w.want(w.act("POST", "/professionals/import?reason=because", key, strings.Join(good, "\n")), 415, api.UnsupportedMediaType) // as JSON
	long := strings.Repeat("x", 60000)
	lines := good[:1:1]
	for range api.MaxImport/len(long) + 1 {
		lines = append(lines, "7,"+long+",X,verified,2027-12-31,,,")
	}
	for _, declared := range []bool{true, false} {
		body := strings.NewReader(strings.Join(lines, "\n"))
		req, err := http.NewRequest("POST", w.operators()+acting+"/professionals/import?reason=because", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "text/csv")
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Expect", "100-continue")
		if !declared {
			req.ContentLength = -1
		}
		w.want(w.do(req), 413, api.PayloadTooLarge)
	}
	if list := data[api.ProfessionalList](t, w.act("GET", "/professionals", key, nil)); len(list.Professionals) != 0 {
		t.Errorf("%+v", list)
	}
	// One bad line: told, and left out; or everything waits for it.
	file := append(good, "=8,Board,X,verified,2027-12-31,,,")
	if r := data[api.ImportReport](t, w.importFile(key, "reason=because&all_or_nothing=true", file...)); r.Committed || r.Refused != 1 || r.Lines[1].Line != 3 || r.Lines[1].Why == "" {
		t.Errorf("%+v", r)
	}
	if r := data[api.ImportReport](t, w.importFile(key, "reason=because", file...)); !r.Committed || r.Refused != 1 || r.Added != 1 {
		t.Errorf("%+v", r)
	}
	if r := data[api.ImportReport](t, w.importFile(key, "reason=because&all_or_nothing=true", good...)); !r.Committed || r.Unchanged != 1 {
		t.Errorf("%+v", r)
	}
}
