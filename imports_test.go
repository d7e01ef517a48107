package session_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Imports run one way. For each package: what of this module it may import.
var allowed = map[string][]string{
	"":                      {"token"},
	"token":                 {},
	"api":                   {},
	"wallet":                {"", "token", "api"},
	"wallet/icp":            {"", "token", "api", "wallet"},
	"wallet/ethereum":       {"", "token", "api", "wallet"},
	"wallet/solana":         {"", "token", "api", "wallet"},
	"anonymous":             {"", "token", "api", "anonymous/semaphore", "anonymous/tree"},
	"anonymous/semaphore":   {},
	"anonymous/tree":        {"anonymous/semaphore"},
	"anonymous/artifacts":   {},
	"anonymous/prover":      {"anonymous/semaphore"},
	"anonymous/prover/wasm": {},
	"anonymous/device":      {"api", "anonymous", "anonymous/semaphore", "anonymous/artifacts", "anonymous/prover", "privatefile"},
	"test/semaphore":        {"test/node"},
	"store/sqlite":          {"", "token", "api"},
	"store/storetest":       {"", "token", "api"},
	"events":                {"", "token"},
	"client":                {"token", "api"},
	"httpapi":               {"", "token", "api"},
	"privatefile":           {},
	"web":                   {"anonymous/prover/wasm"},
	"server":                {"*"},
	"bench":                 {"", "token", "api", "server", "store/sqlite", "wallet/icp"},
	"sessiontest":           {"*"},
	"test/mutation":         {},
	"test/anonymity":        {},
	"test/node":             {},
	"test/prove":            {"anonymous/artifacts", "anonymous/prover", "anonymous/semaphore"},
	"test/contract":         {"test/node"},
	"test/wallets":          {"test/node", "sessiontest", "wallet", "wallet/icp"},
	"test/requirements":     {},
	"cmd/sessiond":          {"server", "api", "wallet/icp", "wallet/ethereum", "wallet/solana", "anonymous", "anonymous/device", "bench", "privatefile"}, // the command line's own identity is a wallet
}

func TestImportsRunOneWay(t *testing.T) {
	const module = "github.com/mentalverse/session"
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	within := func(path string) (string, bool) {
		rest, ok := strings.CutPrefix(path, module)
		return strings.TrimPrefix(rest, "/"), ok && (rest == "" || rest[0] == '/')
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg, _ := within(words[0])
		may, known := allowed[pkg]
		if !known {
			t.Errorf("package %q has no row in the table of imports", pkg)
		}
		for _, imported := range words[1:] {
			name, ours := within(imported)
			if !ours || len(may) > 0 && may[0] == "*" {
				continue
			}
			ok := false
			for _, m := range may {
				ok = ok || m == name
			}
			if !ok {
				t.Errorf("%q imports %q", pkg, name)
			}
		}
	}
}
