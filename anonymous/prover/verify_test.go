package prover

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/semaphore"
)

// verifies expects a proof to hold for the server's verifier, and none of its
// claims to be exchangeable.
func verifies(t testing.TB, p *semaphore.Proof) {
	t.Helper()
	v := must(anonymous.NewVerifier(1))(t)
	holds := func(p semaphore.Proof) bool {
		nullifier, err := v.Verify(t.Context(), anonymous.Proof(p), anonymous.Statement{
			Message: must(semaphore.ParseNumber(p.Message))(t),
			Scope:   must(semaphore.ParseNumber(p.Scope))(t),
			Root:    func(fr.Element) bool { return true },
		})
		return err == nil && semaphore.FormatScalar(nullifier) == p.Nullifier
	}
	if !holds(*p) {
		t.Error("the proof does not verify")
	}
	for name, tamper := range map[string]func(*semaphore.Proof){
		"root":      func(p *semaphore.Proof) { p.MerkleTreeRoot = "1" },
		"nullifier": func(p *semaphore.Proof) { p.Nullifier = "1" },
		"message":   func(p *semaphore.Proof) { p.Message = "1" },
		"scope":     func(p *semaphore.Proof) { p.Scope = "1" },
	} {
		other := *p
		if tamper(&other); holds(other) {
			t.Errorf("holds for another %s", name)
		}
	}
}
