package icp_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

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
	b.Run("bare pairing check", func(b *testing.B) {
		check := barePairing(b)
		for b.Loop() {
			check()
		}
	})
}

// barePairing returns the check of e(aG, H) = e(G, aH), what any check of a
// canister's signature is made of. The two pairs differ: of one and its inverse the
// Miller loops cancel out, and the library leaves out the final exponentiation.
func barePairing(b *testing.B) func() {
	_, _, g1, g2 := bls12381.Generators()
	a := big.NewInt(1 << 40)
	var p1 bls12381.G1Affine
	var p2 bls12381.G2Affine
	p1.ScalarMultiplication(&g1, a)
	p2.ScalarMultiplication(&g2, a)
	g1.Neg(&g1)
	return func() {
		if ok, err := bls12381.PairingCheck([]bls12381.G1Affine{p1, g1}, []bls12381.G2Affine{g2, p2}); err != nil || !ok {
			b.Fatal(err)
		}
	}
}

// A warm canister signature against the bare pairing, turn by turn and by their
// medians, so that whatever else the machine does falls on both.
func BenchmarkCanisterAgainstPairing(b *testing.B) {
	ic := sessiontest.NewInternetComputer(sessiontest.Sharded)
	c, account := made(b, ic.Person("ada"))
	root := ic.RootKey()
	n := icp.NewNetwork(root)
	pairing := barePairing(b)
	var whole, cold, bare []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := icp.NewNetwork(root).Verify(b.Context(), c, account, now); err != nil {
			b.Fatal(err)
		}
		cold = append(cold, time.Since(start))
		start = time.Now()
		if _, err := n.Verify(b.Context(), c, account, now); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		pairing()
		whole, bare = append(whole, middle.Sub(start)), append(bare, time.Since(middle))
	}
	slices.Sort(whole)
	slices.Sort(bare)
	slices.Sort(cold)
	w, p := whole[len(whole)/2], bare[len(bare)/2]
	b.ReportMetric(float64(cold[len(cold)/2].Microseconds()), "µs/cold")
	b.ReportMetric(float64(w.Microseconds()), "µs/canister")
	b.ReportMetric(float64(p.Microseconds()), "µs/pairing")
	b.ReportMetric(float64(w)/float64(p), "times")
}
