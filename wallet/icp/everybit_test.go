//go:build !race

// The race detector makes half a minute of these seconds, and nothing here is done
// abreast: make test runs it without.

package icp_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

// pliable are the bits that do not matter, by what they are.
var pliable = map[string]string{
	"ES256: client_data_json":        "text or bytes: both are allowed, so the one bit between the two kinds does not matter",
	"RS256: client_data_json":        "as for ES256",
	"ES256, bytes: client_data_json": "as for ES256",
}

// Every bit of a key and a signature matters, of every kind, and so does every
// byte at the end, but for the bits that are listed.
func TestEveryBitOfEveryKindMatters(t *testing.T) {
	ic := sessiontest.NewInternetComputer(sessiontest.Sharded)
	n := icp.NewNetwork(ic.RootKey())
	id := must[*icp.Identity](t)
	kinds := map[string]*icp.Identity{
		"Ed25519": id(icp.NewIdentity()), "P-256": id(icp.NewP256Identity()), "secp256k1": id(icp.NewSecp256k1Identity()),
		"canister": ic.Person("ada"),
	}
	for name, p := range passkeys(t) {
		kinds[name] = p.Identity()
	}
	found := map[string]bool{}
	for name, who := range kinds {
		c, _ := made(t, who)
		message := icp.ChallengeMessage(c.Message)
		if err := n.Key(t.Context(), c.PublicKey, message, c.Signature); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		step := 1
		if testing.Short() && name == "canister" {
			step = 7
		}
		for part, whole := range map[string][]byte{"key": c.PublicKey, "signature": c.Signature} {
			try := func(what string, changed []byte) {
				key, signature := []byte(c.PublicKey), []byte(c.Signature)
				if part == "key" {
					key = changed
				} else {
					signature = changed
				}
				if n.Key(t.Context(), key, message, signature) != nil {
					return
				}
				field := name + ": client_data_json"
				if _, listed := pliable[field]; !listed || part != "signature" || !isKindOf(whole, changed, "client_data_json") {
					t.Errorf("%s: %s of the %s", name, what, part)
				}
				found[field] = true
			}
			for bit := 0; bit < len(whole)*8; bit += step {
				changed := bytes.Clone(whole)
				changed[bit/8] ^= 1 << (bit % 8)
				try(fmt.Sprintf("bit %d", bit), changed)
			}
			for size := range whole {
				try(fmt.Sprintf("the first %d bytes", size), whole[:size])
			}
			try("one byte more", append(bytes.Clone(whole), 0))
		}
		if err := n.Key(t.Context(), c.PublicKey, append(message, 0), c.Signature); err == nil {
			t.Errorf("%s: a longer message", name)
		}
	}
	for field := range pliable {
		if !found[field] {
			t.Errorf("%s is listed as pliable, and is not", field)
		}
	}
}

// isKindOf tells whether only the kind, bytes or text, of a named field differs.
func isKindOf(a, b []byte, field string) bool {
	at := bytes.Index(a, []byte(field)) + len(field)
	differs := func(i int) bool { return a[i] != b[i] }
	var places []int
	for i := range a {
		if i < len(b) && differs(i) {
			places = append(places, i)
		}
	}
	return len(a) == len(b) && slices.Equal(places, []int{at}) && a[at]^b[at] == 0x20
}
