package icp

import (
	"errors"
	"testing"
	"time"

	"github.com/mentalverse/session/wallet"
)

// The credentials were made by the real client libraries. Their nonces and
// origins are foreign, so they exercise parsing and signatures only.
func TestCredentialsOfTheClientLibraries(t *testing.T) {
	var list []struct {
		Name, Credential, Account, Expect string
		Now                               time.Time
	}
	vectors(t, "js.json", &list)
	reasons := map[string]error{
		"ok": nil, "targets": ErrTargets, "permissions": ErrPermissions, "expired": ErrExpired, "cycle": ErrCycle,
		"signature": ErrSignature, "account": ErrAccount, "too many": ErrTooMany,
	}
	checked := 0
	for _, v := range list {
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
			e, err := mainnet.verify(t.Context(), c, m.Address, v.Now)
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
