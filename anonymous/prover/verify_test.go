package prover

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/mentalverse/session/anonymous/artifacts"
)

// verifyingKey is the ceremony's, from the file that it was published in.
type verifyingKey struct {
	Alpha  [3]string    `json:"vk_alpha_1"`
	Beta   [3][2]string `json:"vk_beta_2"`
	Gamma  [3][2]string `json:"vk_gamma_2"`
	Delta  [3][2]string `json:"vk_delta_2"`
	Public [][3]string  `json:"IC"`
}

func g1(t testing.TB, x, y string) (p bn254.G1Affine) {
	t.Helper()
	p.X, p.Y = coordinate(t, x), coordinate(t, y)
	if !p.IsInSubGroup() {
		t.Fatal("not on the curve")
	}
	return p
}

func g2(t testing.TB, x0, x1, y0, y1 string) (p bn254.G2Affine) {
	t.Helper()
	p.X.A0, p.X.A1, p.Y.A0, p.Y.A1 = coordinate(t, x0), coordinate(t, x1), coordinate(t, y0), coordinate(t, y1)
	if !p.IsInSubGroup() {
		t.Fatal("not in the group")
	}
	return p
}

func coordinate(t testing.TB, s string) (e fp.Element) {
	t.Helper()
	if _, err := e.SetString(s); err != nil {
		t.Fatal(err)
	}
	return e
}

// verifiesBy checks a proof from its outside, by the published key alone.
func verifiesBy(t testing.TB, p *Proof) bool {
	t.Helper()
	var vk verifyingKey
	if err := json.Unmarshal(artifacts.VerifyingKey, &vk); err != nil {
		t.Fatal(err)
	}
	message, scope := must(ParseNumber(p.Message))(t), must(ParseNumber(p.Scope))(t)
	public := []fr.Element{element(t, p.MerkleTreeRoot), element(t, p.Nullifier), field(hash(message)), field(hash(scope))}
	var signals bn254.G1Jac
	for i, point := range vk.Public {
		ic := g1(t, point[0], point[1])
		if i > 0 {
			ic.ScalarMultiplication(&ic, public[i-1].BigInt(new(big.Int)))
		}
		signals.AddMixed(&ic)
	}
	var sum, minusA bn254.G1Affine
	sum.FromJacobian(&signals)
	q := p.Points
	a := g1(t, q[0], q[1])
	minusA.Neg(&a)
	two := func(p [3][2]string) bn254.G2Affine { return g2(t, p[0][0], p[0][1], p[1][0], p[1][1]) }
	ok, err := bn254.PairingCheck(
		[]bn254.G1Affine{minusA, g1(t, vk.Alpha[0], vk.Alpha[1]), sum, g1(t, q[6], q[7])},
		[]bn254.G2Affine{g2(t, q[3], q[2], q[5], q[4]), two(vk.Beta), two(vk.Gamma), two(vk.Delta)},
	)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// verifies expects a proof to hold, and none of its claims to be exchangeable.
func verifies(t testing.TB, p *Proof) {
	t.Helper()
	if !verifiesBy(t, p) {
		t.Error("the proof does not verify by the published key")
	}
	for name, tamper := range map[string]func(*Proof){
		"root":      func(p *Proof) { p.MerkleTreeRoot = "1" },
		"nullifier": func(p *Proof) { p.Nullifier = "1" },
		"message":   func(p *Proof) { p.Message = "1" },
		"scope":     func(p *Proof) { p.Scope = "1" },
	} {
		other := *p
		if tamper(&other); verifiesBy(t, &other) {
			t.Errorf("holds for another %s", name)
		}
	}
}
