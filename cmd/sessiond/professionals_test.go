package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mentalverse/session/api"
)

// scriptPrincipal sets PRINCIPAL to that of a saved session.
func scriptPrincipal(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(binary, "validate", "--server", ts.Getenv("SESSIOND_SERVER"), "--state", ts.MkAbs(args[0]))
	out, err := cmd.Output()
	ts.Check(err)
	var v api.Validation
	ts.Check(json.Unmarshal(out, &v))
	ts.Setenv("PRINCIPAL", v.Principal)
}

// scriptLicences writes a file of so many pending licences, of which PSY-000007
// is that of PRINCIPAL.
func scriptLicences(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	b.WriteString("number,authority,jurisdiction,status,valid_until,chain,address\n")
	for i := range n {
		account := ","
		if i == 7 {
			account = "icp," + ts.Getenv("PRINCIPAL")
		}
		fmt.Fprintf(&b, "PSY-%06d,\"Board of Examples, South\",DE-BY,pending,2099-12-31,%s\n", i, account)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}

// scriptSuspend suspends a licence and fails unless the saved session is refused
// within so long from then.
func scriptSuspend(ts *testscript.TestScript, neg bool, args []string) {
	most, err := time.ParseDuration(args[0])
	ts.Check(err)
	from := time.Now()
	ts.Check(ts.Exec("sessiond", "professionals", "suspend", "--number", args[1], "--authority", args[2], "--reason", "complaint 12"))
	for ts.Exec("sessiond", "validate", "--state", args[3]) == nil {
		if time.Since(from) > most {
			ts.Fatalf("the session lives %v after its licence was suspended", time.Since(from))
		}
	}
	ts.Logf("the session was refused %v after the command to suspend its licence was started", time.Since(from).Round(time.Millisecond))
}

// scriptOperator sets OPERATOR to the id in a key file, an operator's or a
// service's.
func scriptOperator(ts *testscript.TestScript, neg bool, args []string) {
	kind, rest, _ := strings.Cut(ts.ReadFile(args[0]), "_")
	id, _, _ := strings.Cut(rest, "_")
	ts.Setenv("OPERATOR", kind+"_"+id)
}
