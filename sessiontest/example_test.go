package sessiontest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

// A person signs in with Internet Identity, without any network.
func ExampleInternetComputer() {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	ic := sessiontest.NewInternetComputer(sessiontest.Sharded)
	chain := icp.Chain(ic.RootKey()) // a server takes it in icp_root_keys

	ada, err := ic.SignIn("ada", now)
	if err != nil {
		panic(err)
	}
	text, err := ada.Credential("the message of a challenge")
	if err != nil {
		panic(err)
	}
	c, err := wallet.ParseCredential(text)
	if err != nil {
		panic(err)
	}
	evidence, err := chain.Verify(context.Background(), c, ada.Principal(), now)
	fmt.Println(err, evidence.Account.Address == ic.Person("ada").Principal(), evidence.NotAfter)
	// Output: <nil> true 2026-11-23 18:00:00 +0000 UTC
}
