package prover

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/anonymous/semaphore"
	node "github.com/mentalverse/session/test/semaphore"
)

// written puts the artifacts where a program of Node can read them.
func written(t testing.TB) (circuit, key, verifyingKey string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write(artifacts.Circuit, must(circuitFile())(t)), write(artifacts.Key, must(keyFile())(t)),
		must(filepath.Abs("../semaphore-20.json"))(t)
}

func TestSemaphoreAndSnarkjsTakeOurProofs(t *testing.T) {
	_, _, key := written(t)
	p := testProver(t)
	var proofs []*semaphore.Proof
	for _, group := range []struct{ n, at int }{{1, 0}, {5, 4}, {1001, 500}} {
		who := newIdentity(t)
		s := statementIn(t, groupWith(t, who, group.at, group.n), who, group.at)
		proofs = append(proofs, must(p.Prove(t.Context(), s))(t))
	}
	forged := *proofs[0]
	forged.Nullifier = proofs[1].Nullifier
	proofs = append(proofs, &forged)

	var answers []struct{ Semaphore, Snarkjs bool }
	node.Run(t, &answers, proofs, "verify.mjs", key)
	if len(answers) != len(proofs) {
		t.Fatalf("%d answers", len(answers))
	}
	for i, a := range answers {
		if want := proofs[i] != &forged; a.Semaphore != want || a.Snarkjs != want {
			t.Errorf("proof %d: Semaphore says %t, snarkjs %t", i, a.Semaphore, a.Snarkjs)
		}
	}
}

// What the libraries make we read the same way: identities, paths, proofs. And
// for the same statement our proof says the same.
func TestWeTakeSemaphoresProofs(t *testing.T) {
	circuit, key, _ := written(t)
	var made []struct {
		Secret, Commitment string
		Index              uint32
		Siblings           []string
		Proof              semaphore.Proof
	}
	node.Run(t, &made, nil, "prove.mjs", circuit, key)
	if len(made) == 0 {
		t.Fatal("nothing was made")
	}
	p := testProver(t)
	for i, m := range made {
		who := must(ParseIdentity(m.Secret))(t)
		if got := who.Commitment(); got != m.Commitment {
			t.Errorf("%d: commitment %s, theirs %s", i, got, m.Commitment)
		}
		verifies(t, &m.Proof)
		s := &Statement{
			Identity: who, Path: semaphore.Path{Index: m.Index},
			Message: must(semaphore.ParseNumber(m.Proof.Message))(t), Scope: must(semaphore.ParseNumber(m.Proof.Scope))(t),
		}
		for _, n := range m.Siblings {
			s.Path.Siblings = append(s.Path.Siblings, scalar(t, n))
		}
		ours := *must(p.Prove(t.Context(), s))(t)
		if ours.Points == m.Proof.Points {
			t.Errorf("%d: a proof without blinding", i)
		}
		ours.Points = m.Proof.Points
		if ours != m.Proof {
			t.Errorf("%d: ours says %+v, theirs %+v", i, ours, m.Proof)
		}
	}
}
