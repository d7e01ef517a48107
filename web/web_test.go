package web

import (
	"regexp"
	"strings"
	"testing"
)

var private = &Private{
	Service: "sessions.example.org", Epoch: 2592000, Key: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
	Prover: "aa", Circuit: "bb", ProvingKey: "cc", Size: 9999,
}

// kinds are servers that differ in what their pages offer.
var kinds = []Options{{}, {Dev: true}, {Private: private}, {Dev: true, Private: private}}

func served(o Options) map[string]string {
	out := map[string]string{}
	for _, f := range Files(o) {
		out[f.Path] = string(f.Body)
	}
	return out
}

// Whoever looks over a shoulder, into the history or into the cache must not
// learn what kind of service this is. The API's contract has words of its own,
// which stand in scripts only.
func TestNothingSaysWhatTheServiceIsFor(t *testing.T) {
	telling := regexp.MustCompile(`(?i)mental|health|therap|counsel|psych|clinic|patient|crisis|depress|anxi|wellbeing|anonym|professional`)
	contract := strings.NewReplacer("/anonymous/", "", "'mentalverse.session.v1'", "", "session_type: 'anonymous'", "")
	for path, body := range served(Options{Dev: true, Private: private}) {
		if strings.HasSuffix(path, ".js") {
			body = contract.Replace(body)
		}
		if found := telling.FindString(path + "\n" + body); found != "" {
			t.Errorf("%s says %q", path, found)
		}
	}
}

// A page loads nothing but these files: all that it names are here, but for what
// it asks for only where it is offered, and no address of another host is.
func TestPagesAreWhole(t *testing.T) {
	loads := regexp.MustCompile(`(?:src="|href="|from '|import\('|import '|new Worker\(')(?:\./|/)?([^"']*)`)
	optional := map[string]bool{"/device.js": true, "/private.js": true}
	for _, kind := range kinds {
		all := served(kind)
		for path, body := range all {
			if strings.Contains(body, "://") && path != "/wasm_exec.js" { // in a comment of Go's
				t.Errorf("%s names another host", path)
			}
			for _, m := range loads.FindAllStringSubmatch(body, -1) {
				if _, ok := all["/"+m[1]]; !ok && !optional["/"+m[1]] {
					t.Errorf("%s loads %q", path, m[1])
				}
			}
		}
	}
}

func TestTheBrowsersKeyIsForDevelopment(t *testing.T) {
	for _, kind := range kinds {
		all := served(kind)
		if _, ok := all["/device.js"]; ok != kind.Dev {
			t.Errorf("dev %t: device.js is served: %t", kind.Dev, ok)
		}
		if offered := strings.Contains(all["/signin"], `id="device"`); offered != kind.Dev {
			t.Errorf("dev %t: the page offers the key: %t", kind.Dev, offered)
		}
		if strings.Contains(all["/signin"], "{{") || !strings.Contains(all["/signin"], "</html>") {
			t.Errorf("dev %t: the page is not whole", kind.Dev)
		}
	}
}

func TestPrivateSignInIsWhereTheServerHasIt(t *testing.T) {
	files := []string{"/private.js", "/group.js", "/values.js", "/kept.js", "/key.js", "/prover.js", "/worker.js", "/wasm_exec.js"}
	for _, kind := range kinds {
		all := served(kind)
		has := kind.Private != nil
		for _, path := range files {
			if _, ok := all[path]; ok != has {
				t.Errorf("%s is served: %t, want %t", path, ok, has)
			}
		}
		for _, id := range []string{"enter", "setup", "work", "quiet"} {
			if offered := strings.Contains(all["/signin"], `id="`+id+`"`); offered != has {
				t.Errorf("the page has %s: %t, want %t", id, offered, has)
			}
		}
		for _, f := range Files(kind) {
			if f.Workers != (has && f.Path == "/signin") || f.WebAssembly != (f.Path == "/worker.js") {
				t.Errorf("%s may do more than it needs, or less: %t, %t", f.Path, f.Workers, f.WebAssembly)
			}
		}
	}
	if !strings.Contains(served(Options{Private: private})["/signin"], `data-service="sessions.example.org" data-epoch="2592000" data-key="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`) {
		t.Error("the page does not know its service")
	}
}
