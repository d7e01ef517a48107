package icp

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/mentalverse/session/wallet"
)

// The credentials were made by the real client libraries. Their nonces and
// origins are foreign, so they exercise parsing and signatures only.
func TestCredentialsOfTheClientLibraries(t *testing.T) {
	b, err := os.ReadFile("../../../shared/vectors/js.json")
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: the vectors made with the client libraries are not beside this repository (../shared/vectors/js.json)")
	}
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Credential, Account, Expect string
		Now                               time.Time
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]error{
		"ok": nil, "targets": ErrTargets, "permissions": ErrPermissions, "expired": ErrExpired, "cycle": ErrCycle,
		"signature": ErrSignature, "account": ErrAccount, "too many": ErrTooMany,
	}
	checked := 0
	for _, v := range vectors {
		c, err := wallet.ParseCredential(v.Credential)
		if err == nil && c.Type != Chain().Type {
			continue
		}
		checked++
		t.Run(v.Name, func(t *testing.T) {
			want, known := reasons[v.Expect]
			if !known {
				t.Fatalf("unknown expectation %q", v.Expect)
			}
			if err != nil {
				t.Fatal(err)
			}
			m, err := wallet.ParseMessage(c.Message)
			if err != nil {
				t.Fatal(err)
			}
			e, err := verify(t.Context(), c, m.Address, v.Now)
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if err == nil && e.Account.Address != v.Account {
				t.Errorf("account %s, want %s", e.Account.Address, v.Account)
			}
		})
	}
	if checked < 28 {
		t.Errorf("only %d credentials checked", checked)
	}
}
