package icp_test

import (
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

// One signature of each kind, and the bare pairing that a canister's is measured
// by: warm is with its subnet known, as it nearly always is, cold without.
func BenchmarkSignatures(b *testing.B) {
	ic := sessiontest.NewInternetComputer(sessiontest.Sharded)
	id := must[*icp.Identity](b)
	rsa := must[*sessiontest.Passkey](b)
	kinds := map[string]*icp.Identity{
		"Ed25519": id(icp.NewIdentity()), "P-256": id(icp.NewP256Identity()), "secp256k1": id(icp.NewSecp256k1Identity()),
		"RS256 4096": rsa(sessiontest.NewRSAPasskey("a.example", 4096)).Identity(),
	}
	for name, p := range passkeys(b) {
		kinds[name] = p.Identity()
	}
	kinds["canister warm"] = ic.Person("ada")
	for name, who := range kinds {
		c, account := made(b, who)
		n := icp.NewNetwork(ic.RootKey())
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := n.Verify(b.Context(), c, account, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	c, account := made(b, ic.Person("ada"))
	root := ic.RootKey()
	b.Run("canister cold", func(b *testing.B) {
		for b.Loop() {
			if _, err := icp.NewNetwork(root).Verify(b.Context(), c, account, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	n := icp.NewNetwork(root)
	bad := c
	bad.Message += "."
	b.Run("canister bad", func(b *testing.B) {
		for b.Loop() {
			if _, err := n.Verify(b.Context(), bad, account, now); err == nil {
				b.Fatal("accepted")
			}
		}
	})
	_, _, g1, g2 := bls12381.Generators()
	var minus bls12381.G1Affine
	minus.Neg(&g1)
	b.Run("bare pairing check", func(b *testing.B) {
		for b.Loop() {
			if ok, err := bls12381.PairingCheck([]bls12381.G1Affine{g1, minus}, []bls12381.G2Affine{g2, g2}); err != nil || !ok {
				b.Fatal(err)
			}
		}
	})
}
