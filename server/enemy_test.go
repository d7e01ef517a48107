package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
)

// Whatever stands where an id belongs, the answer is a refusal, and nothing of it
// comes into a trail or a log line.
func TestWhatStandsForAnIDIsNotActedOn(t *testing.T) {
	w := newWorld(t, openGroup)
	ada := w.newOperator("operator")
	trail := func() string {
		t.Helper()
		return string(w.act("GET", "/records?limit=1000", w.operatorKey(), nil).Body)
	}
	before := trail()
	why := api.OperatorRequest{Reason: "whoever that is"}
	for _, id := range []string{
		"%0a2026-11-25", "a%00b", "%e2%80%ae", "%ff", "..%2f..%2foperators", "anon_x", "anon_" + strings.Repeat("a", 33), "user_" + strings.Repeat("a", 26),
		strings.Repeat("x", 8000), "op_root", "*", "';--", "%25", url.PathEscape(`"><script>`), "lic_" + strings.Repeat("a", 26),
	} {
		for _, c := range []struct {
			method, path string
			body         any
		}{
			{"DELETE", "/subjects/%s/sessions", why}, {"POST", "/subjects/%s/block", why}, {"DELETE", "/subjects/%s/block", why},
			{"DELETE", "/users/%s", why}, {"DELETE", "/sessions/%s", why}, {"GET", "/professionals/%s", nil}, {"POST", "/professionals/%s/confirm", why},
			{"PATCH", "/professionals/%s", `{"accounts":[],"reason":"whoever that is"}`}, {"DELETE", "/operators/%s", why},
		} {
			key := ada.Key
			if strings.HasPrefix(c.path, "/operators") {
				key = w.operatorKey()
			}
			if a := w.act(c.method, fmt.Sprintf(c.path, id), key, c.body); a.Status != http.StatusNotFound && a.Status != http.StatusBadRequest {
				t.Errorf("%s %s of %.40s: %d %s", c.method, c.path, id, a.Status, a.Body)
			}
		}
	}
	if after := trail(); after != before {
		t.Errorf("the trail has more than before: %s", after)
	}
}

// A page asked for with garbage is refused or empty, never everything anew and
// never a failure.
func TestPagesOfGarbage(t *testing.T) {
	w := newWorld(t)
	ada, auditor := w.newOperator("operator"), w.newOperator("auditor")
	w.signIn(api.CreateRequest{})
	garbage := []string{"%00", "%ff", "%0a", "-1", "18446744073709551616", "9223372036854775808", "1e3", "+1", "0x1", "sess_", strings.Repeat("z", 9000), "%E2%80%AE"}
	for _, after := range garbage {
		for path, key := range map[string]string{"/operators": ada.Key, "/professionals": ada.Key, "/professionals?review=true": ada.Key, "/sessions": ada.Key, "/records": auditor.Key, "/records/anonymous": auditor.Key} {
			join := "?"
			if strings.Contains(path, "?") {
				join = "&"
			}
			if a := w.act("GET", path+join+"after="+after, key, nil); a.Status != 200 && a.Status != 400 {
				t.Errorf("%s after %.30s: %d %s", path, after, a.Status, a.Body)
			}
		}
	}
	for _, limit := range garbage {
		if a := w.act("GET", "/sessions?limit="+limit, ada.Key, nil); a.Status != 400 && limit != "+1" {
			t.Errorf("limit %.30s: %d %s", limit, a.Status, a.Body)
		}
	}
	for _, review := range []string{"", "yes", "TRUE", "true&review=true"} {
		w.want(w.act("GET", "/professionals?review="+review, ada.Key, nil), 400, api.InvalidRequest)
	}
	w.want(w.act("POST", "/professionals/confirm", ada.Key, `{"all":false,"reason":"compared"}`), 400, api.InvalidRequest)
	w.want(w.act("POST", "/professionals/confirm", ada.Key, `{"reason":"compared"}`), 400, api.InvalidRequest)
}

// A file as its worst enemy makes it: told by its line, and nothing of it done.
func TestAFileAsItsWorstEnemyMakesIt(t *testing.T) {
	w := newWorld(t)
	key := w.operatorKey()
	const good = "7,Board,X,verified,2027-12-31,,,"
	row := func(number string) string { return number + ",Board,X,verified,2027-12-31,,," }
	whole := map[string][]string{
		"NUL":                {licenceHeader, row("a\x00b")},
		"a lone CR":          {licenceHeader, row("a\rb")},
		"Latin-1":            {licenceHeader, row("M\xfcller")},
		"two marks":          {"\ufeff\ufeff" + licenceHeader, good},
		"a mark later":       {licenceHeader, good, "\ufeff" + "8,Board"},
		"a line in quotes":   {licenceHeader, `"8`, `9",Board,X,verified,2027-12-31,,,`},
		"a huge field":       {licenceHeader, row(strings.Repeat("x", 70_000))},
		"semicolons":         {strings.ReplaceAll(licenceHeader, ",", ";"), strings.ReplaceAll(good, ",", ";")},
		"a header twice":     {licenceHeader + ",number", good + ",8"},
		"fields too many":    {licenceHeader, good + ",,"},
		"an empty line":      {licenceHeader, "", good},
		"nothing":            {""},
		"a line too many":    append([]string{licenceHeader}, strings.Split(strings.Repeat(good+"\n", 100_000)+good, "\n")...),
		"a quote in a field": {licenceHeader, `7",Board,X,verified,2027-12-31,,,`},
	}
	for name, lines := range whole {
		if a := w.importFile(key, "reason=because", lines...); a.Status != 400 || a.code() != api.InvalidRequest {
			t.Errorf("%s: %d %.200s", name, a.Status, a.Body)
		}
	}
	refused := map[string]string{
		"a formula":             row("=1+1"),
		"a formula in quotes":   `"@SUM(A1)",Board,X,verified,2027-12-31,,,`,
		"spaces around":         row(" 7"),
		"right to left":         row("7\u202e8"),
		"no width":              row("7\u200b8"),
		"a long field":          row(strings.Repeat("x", 200)),
		"a day that is none":    "7,Board,X,verified,2027-02-30,,,",
		"a leap second":         "7,Board,X,verified,2027-12-31T23:59:60Z,,,",
		"the year 10000":        "7,Board,X,verified,9999-12-31,,,",
		"before there was time": "7,Board,X,verified,1900-01-01,,,",
		"a status of its own":   "7,Board,X,VERIFIED,2027-12-31,,,",
		"expired by word":       "7,Board,X,expired,2027-12-31,,,",
		"an address alone":      "7,Board,X,verified,2027-12-31,,aaaaa-aa,",
		"a chain alone":         "7,Board,X,verified,2027-12-31,icp,,",
		"no such chain":         "7,Board,X,verified,2027-12-31,dogecoin,x,",
	}
	for name, line := range refused {
		r := data[api.ImportReport](t, w.importFile(key, "reason=because", licenceHeader, line))
		if r.Refused != 1 || r.Added != 0 || r.Lines[0].Why == "" || strings.Contains(r.Lines[0].Why, "\u202e") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if list := data[api.ProfessionalList](t, w.act("GET", "/professionals", key, nil)); len(list.Professionals) != 0 {
		t.Errorf("%+v", list)
	}
	for _, reason := range []string{"", "no", "a%0ab", "a%00b", "%20because", "x%e2%80%aey", "%ff%ff%ff", strings.Repeat("x", 201)} {
		w.want(w.importFile(key, "reason="+reason, licenceHeader, good), 400, api.InvalidRequest)
	}
	if r := data[api.ImportReport](t, w.importFile(key, "reason=because", "\ufeff"+licenceHeader+"\r", good+"\r", "")); r.Added != 1 {
		t.Errorf("a good one: %+v", r)
	}
}
