package anonymous

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// readVectors reads what the JavaScript libraries made.
func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("../../shared/vectors/" + name)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("NOT RUN: the vectors made with the JavaScript libraries are not beside this repository (../shared/vectors/" + name + ")")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

type madeProof struct {
	Label  string
	N      string
	Member int
	Proof  Proof
}

type madeGroup struct {
	Root    string
	Members []string
}

// madeProofs returns the proofs and the groups that @semaphore-protocol made.
func madeProofs(t testing.TB) (proofs []madeProof, groups map[string]madeGroup) {
	t.Helper()
	var v struct {
		Groups map[string]madeGroup
		Proofs []struct {
			Label     string
			N, Member json.Number
			Proof     Proof
		}
	}
	readVectors(t, "semaphore_proofs.json", &v)
	for _, p := range v.Proofs {
		member, err := p.Member.Int64()
		if err != nil {
			t.Fatal(err)
		}
		proofs = append(proofs, madeProof{p.Label, p.N.String(), int(member), p.Proof})
	}
	if len(proofs) != 15 || len(v.Groups) != 7 {
		t.Fatalf("%d proofs and %d groups", len(proofs), len(v.Groups))
	}
	return proofs, v.Groups
}

// goodProof is a proof of depth 20.
func goodProof(t testing.TB) Proof {
	t.Helper()
	return readMade(t).SignIn
}

// statementOf is the statement that a proof claims to show.
func statementOf(t testing.TB, p Proof) Statement {
	t.Helper()
	message, err := semaphore.ParseNumber(p.Message)
	if err != nil {
		t.Fatal(err)
	}
	scope, err := semaphore.ParseNumber(p.Scope)
	if err != nil {
		t.Fatal(err)
	}
	root := scalar(t, p.MerkleTreeRoot)
	return Statement{Message: message, Scope: scope, Root: func(r fr.Element) bool { return r == root }}
}

func scalar(t testing.TB, s string) fr.Element {
	t.Helper()
	e, err := ParseScalar(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return e
}

func scalars(t testing.TB, s []string) []fr.Element {
	t.Helper()
	out := make([]fr.Element, len(s))
	for i := range s {
		out[i] = scalar(t, s[i])
	}
	return out
}

func verifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := NewVerifier(2)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestProofsOfTheJavaScriptLibraryVerifyAtDepth20Only(t *testing.T) {
	v := verifier(t)
	proofs, groups := madeProofs(t)
	deep := 0
	for _, p := range proofs {
		nullifier, err := v.Verify(t.Context(), p.Proof, statementOf(t, p.Proof))
		if p.Proof.MerkleTreeDepth != Depth {
			if !errors.Is(err, ErrDepth) {
				t.Errorf("%s: %v, want ErrDepth", p.Label, err)
			}
			continue
		}
		deep++
		if err != nil {
			t.Errorf("%s: %v", p.Label, err)
		}
		if got := FormatScalar(nullifier); got != p.Proof.Nullifier {
			t.Errorf("%s: nullifier %s", p.Label, got)
		}
		if g := groups[p.N]; g.Root != p.Proof.MerkleTreeRoot {
			t.Errorf("%s: the root is not the group's", p.Label)
		}
	}
	if deep != 6 {
		t.Errorf("%d proofs of depth 20", deep)
	}
}

// One member, one scope: one nullifier, whatever the message and the proof.
func TestAMembersNullifierHangsOnTheScopeAlone(t *testing.T) {
	by := map[string]Proof{}
	proofs, _ := madeProofs(t)
	for _, p := range proofs {
		by[p.Label] = p.Proof
	}
	first, message, scope := by["group of 1000 fixed depth 20"], by["same scope other message"], by["other scope"]
	if first.Nullifier == "" || first.Nullifier != message.Nullifier || first.Message == message.Message {
		t.Error("another nullifier for another message")
	}
	if scope.Nullifier == first.Nullifier {
		t.Error("the same nullifier for another scope")
	}
}

// The library that made it accepts it; anyone can make one, because a group
// with nobody in it has root 0.
func TestTheForgeryOverRoot0IsRefused(t *testing.T) {
	var forged Proof
	readVectors(t, "semaphore_root_zero.json", &forged)
	s := statementOf(t, forged)
	s.Root = func(fr.Element) bool { return true }
	v := verifier(t)
	if _, err := v.Verify(t.Context(), forged, s); !errors.Is(err, ErrRoot) {
		t.Errorf("%v, want ErrRoot", err)
	}
	// It is a proof all the same: nothing but the root tells.
	a, c, b, err := forged.points()
	if err != nil {
		t.Fatal(err)
	}
	signals := [publicSignals]fr.Element{{}, scalar(t, forged.Nullifier), semaphore.Hash(s.Message), semaphore.Hash(s.Scope)}
	if !v.key.check(&a, &c, &b, &signals) {
		t.Error("the forgery does not verify, so this test shows nothing")
	}
}

func TestPoseidonOfTheJavaScriptLibrary(t *testing.T) {
	var v struct{ Poseidon [][3]string }
	readVectors(t, "lean_imt.json", &v)
	if len(v.Poseidon) < 2 {
		t.Fatal("no vectors")
	}
	for _, h := range v.Poseidon {
		if got := FormatScalar(semaphore.Poseidon(scalar(t, h[0]), scalar(t, h[1]))); got != h[2] {
			t.Errorf("%s and %s: %s", h[0], h[1], got)
		}
	}
}

func TestAProofsJSONIsStrict(t *testing.T) {
	p := goodProof(t)
	good, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseProof(good); err != nil || got != p {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"depth as text":     {`"merkleTreeDepth":20`, `"merkleTreeDepth":"20"`},
		"depth as fraction": {`"merkleTreeDepth":20`, `"merkleTreeDepth":20.5`},
		"number as number":  {`"message":"` + p.Message + `"`, `"message":` + p.Message},
		"unknown key":       {`"scope":`, `"x":"1","scope":`},
		"repeated key":      {`"scope":`, `"scope":"1","scope":`},
		"key in caps":       {`"scope":`, `"Scope":`},
		"nine points":       {`"points":[`, `"points":["1",`},
		"seven points":      {`"points":["` + p.Points[0] + `",`, `"points":[`},
		"too long":          {`"message":"`, `"message":"` + strings.Repeat("0", maxProof)},
		"data after it":     {`"]}`, `"]}1`},
		"a list":            {`{"merkle`, `[{"merkle`},
	} {
		b := strings.Replace(string(good), change[0], change[1], 1)
		if b == string(good) {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ParseProof([]byte(b)); !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v, want ErrShape", name, err)
		}
	}
	for _, b := range []string{"", "null", "{", "[]", `"x"`} {
		if _, err := ParseProof([]byte(b)); err == nil {
			t.Errorf("%q is taken", b)
		}
	}
}
