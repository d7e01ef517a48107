package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// codes are the constants of api/error.go that a server sends.
func codes(t *testing.T) (out []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../api/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, v := range spec.Values {
				text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				if text != string(api.NetworkError) { // the client's own
					out = append(out, text)
				}
			}
		}
		return true
	})
	slices.Sort(out)
	return out
}

// API-04: the constants, the description and the manual name the same codes.
func TestTheDocumentedCodesAgree(t *testing.T) {
	want := codes(t)
	doc, err := openapi3.NewLoader().LoadFromFile("../httpapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, v := range doc.Components.Schemas["Code"].Value.Enum {
		described = append(described, v.(string))
	}
	slices.Sort(described)
	if !slices.Equal(described, want) {
		t.Errorf("openapi.yaml: %v, want %v", described, want)
	}
	manual, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "\n## Errors\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	var told []string
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
				told = append(told, m[1])
			}
		}
	}
	slices.Sort(told)
	if !slices.Equal(told, want) {
		t.Errorf("docs/api.md: %v, want %v", told, want)
	}
}

// API-04: each code is provoked once and stands in the body, with the status
// the manual gives it.
func TestEveryCodeReachesTheBody(t *testing.T) {
	const sessions = "/api/auth/sessions"
	verifier := newPanicking()
	w := newWorld(t, func(c *server.Config) { c.Verifier = verifier })
	got := map[string]int{}
	see := func(a answer) {
		t.Helper()
		code := string(a.code())
		if status, ok := got[code]; ok && status != a.Status {
			t.Errorf("%s: %d, and before %d", code, a.Status, status)
		}
		got[code] = a.Status
	}
	s := w.signIn(api.CreateRequest{})
	see(w.validate("forged"))
	see(w.refresh("rt_forged"))
	see(w.call("GET", sessions+"/validate?permission=read:all_profiles", s.SessionToken, nil))
	see(w.call("GET", sessions+"/validate?permission=read:profile&max_age=-1", s.SessionToken, nil))
	see(w.call("POST", sessions, "nonsense", nil))
	used := w.credential(w.person)
	w.want(w.call("POST", sessions, used, nil), 201, "")
	see(w.call("POST", sessions, used, nil))
	see(w.call("DELETE", sessions+"/"+s.SessionID+"x", s.SessionToken, nil))
	see(w.call("PUT", sessions, s.SessionToken, nil))
	see(w.call("POST", sessions+"/refresh", "", `{"refresh_token":"`+strings.Repeat("a", 17000)+`"}`))
	j := newJar(w)
	j.signIn()
	j.csrf = ""
	see(j.call("POST", sessions+"/activity", ""))
	plain := j.request("POST", sessions+"/refresh", "{}")
	plain.Header.Del("Cookie")
	plain.Header.Set("Content-Type", "text/plain")
	see(w.do(plain))
	w.clock.Advance(time.Minute)
	see(w.call("GET", sessions+"/validate?max_age=10", s.SessionToken, nil))
	narrow := data[api.Tokens](t, w.call("PATCH", sessions+"/current", s.SessionToken, `{"permissions":[]}`))
	see(w.validate(s.SessionToken))
	see(w.refresh(s.RefreshToken))
	w.want(w.validate(narrow.SessionToken), 200, "")
	fresh := w.credential(w.person)
	verifier.now.Store(true)
	see(w.call("POST", sessions, fresh, nil))
	w.stop()
	w.serve(limited)
	w.exhaust()
	see(w.call("GET", jwksPath, "", nil))

	manual, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range codes(t) {
		status, ok := got[code]
		if !ok {
			t.Errorf("%s was not provoked", code)
			continue
		}
		documented := false
		for line := range strings.Lines(string(manual)) {
			documented = documented || strings.HasPrefix(line, "|") && strings.Contains(line, "`"+code+"`") && strings.Contains(line, strconv.Itoa(status))
		}
		if !documented {
			t.Errorf("%s is sent with %d, and docs/api.md does not say so", code, status)
		}
	}
	if len(got) != len(codes(t)) {
		t.Errorf("%v", got)
	}
}
