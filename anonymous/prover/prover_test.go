package prover

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/anonymous/semaphore"
)

// The ceremony's key and circuit are read once for all tests.
var (
	keyFile     = sync.OnceValues(func() ([]byte, error) { return artifact(artifacts.Key) })
	circuitFile = sync.OnceValues(func() ([]byte, error) { return artifact(artifacts.Circuit) })
	parsedKey   = sync.OnceValues(func() (*Key, error) {
		file, err := keyFile()
		if err != nil {
			return nil, err
		}
		return ParseKey(file)
	})
	compiled = sync.OnceValues(func() (*Circuit, error) {
		file, err := circuitFile()
		if err != nil {
			return nil, err
		}
		return CompileCircuit(context.Background(), file)
	})
)

func artifact(name string) ([]byte, error) {
	s, err := artifacts.Open("")
	if err != nil {
		return nil, err
	}
	return s.Read(name)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if errors.Is(err, artifacts.ErrNone) && os.Getenv("CI") != "true" {
			t.Skip("SKIPPED: built without artifacts")
		}
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func testProver(t testing.TB) *Prover {
	return &Prover{must(compiled())(t), must(parsedKey())(t)}
}

func scalar(t testing.TB, s string) fr.Element { return must(semaphore.ParseScalar(s))(t) }

func field(n *big.Int) (e fr.Element) { return *e.SetBigInt(n) }

func newIdentity(t testing.TB) *Identity { return must(NewIdentity())(t) }

// groupWith returns a tree of n leaves, who at one of them.
func groupWith(t testing.TB, who *Identity, at, n int) *anonymous.Tree {
	leaves := make([]fr.Element, n)
	for i := range leaves {
		leaves[i].SetUint64(uint64(1000 + i))
	}
	leaves[at] = scalar(t, who.Commitment())
	tree := new(anonymous.Tree)
	if err := tree.Append(leaves...); err != nil {
		t.Fatal(err)
	}
	return tree
}

func statementIn(t testing.TB, group *anonymous.Tree, who *Identity, at int) *Statement {
	return &Statement{Identity: who, Path: must(group.Path(at))(t), Message: [32]byte{0xab, 0xc0}, Scope: [32]byte{31: 30}}
}

func TestMembersOfGroupsOfAllShapes(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	for _, group := range []struct{ n, at int }{{1, 0}, {2, 1}, {3, 2}, {5, 4}, {5, 1}, {7, 6}, {33, 32}, {1001, 500}} {
		t.Run(fmt.Sprintf("%d of %d", group.at, group.n), func(t *testing.T) {
			tree := groupWith(t, who, group.at, group.n)
			proof, err := p.Prove(t.Context(), statementIn(t, tree, who, group.at))
			if err != nil {
				t.Fatal(err)
			}
			if want := semaphore.FormatScalar(tree.Root()); proof.MerkleTreeRoot != want {
				t.Errorf("root %s, want %s", proof.MerkleTreeRoot, want)
			}
			if want := semaphore.FormatScalar(semaphore.Poseidon(semaphore.Hash([32]byte{31: 30}), field(who.secret))); proof.Nullifier != want {
				t.Errorf("nullifier %s, want %s", proof.Nullifier, want)
			}
			verifies(t, proof)
		})
	}
}

func TestAPathOfTwentyLevels(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	s := statementIn(t, groupWith(t, who, 0, 1), who, 0)
	s.Path.Index = 0b1011_0011_1000_1111_0101
	for i := range semaphore.Depth {
		s.Path.Siblings = append(s.Path.Siblings, field(big.NewInt(int64(i+7))))
	}
	proof, err := p.Prove(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if want := semaphore.FormatScalar(s.Path.Root(scalar(t, who.Commitment()))); proof.MerkleTreeRoot != want {
		t.Errorf("root %s, want %s", proof.MerkleTreeRoot, want)
	}
	verifies(t, proof)
}

// The circuit itself computes the commitment: it is the root of a group of one.
func TestTheCircuitAgreesOnCommitments(t *testing.T) {
	c := must(compiled())(t)
	l := subgroupOrder()
	for i, who := range []*Identity{newIdentity(t), newIdentity(t), {big.NewInt(1)}, {new(big.Int).Sub(l, big.NewInt(1))}} {
		s := &Statement{Identity: who}
		w, err := c.Witness(t.Context(), must(s.Signals())(t))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := who.Commitment(), semaphore.FormatScalar(w[wireRoot]); got != want {
			t.Errorf("%d: commitment %s, the circuit says %s", i, got, want)
		}
	}
}

func TestTheSameMemberIsTheSameWithinAScopeOnly(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	s := statementIn(t, groupWith(t, who, 2, 5), who, 2)
	first := must(p.Prove(t.Context(), s))(t)
	again := must(p.Prove(t.Context(), s))(t)
	if first.Nullifier != again.Nullifier {
		t.Error("two pseudonyms in one scope")
	}
	if first.Points == again.Points {
		t.Error("a proof without blinding")
	}
	s.Scope[31]++
	if other := must(p.Prove(t.Context(), s))(t); other.Nullifier == first.Nullifier {
		t.Error("one pseudonym in two scopes")
	}
}

func TestManyProveAtOnce(t *testing.T) {
	p := testProver(t)
	var g sync.WaitGroup
	for range 4 {
		who := newIdentity(t)
		s := statementIn(t, groupWith(t, who, 3, 6), who, 3)
		g.Go(func() {
			if _, err := p.Prove(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
}

func TestWhoHasGivenUpWaitsNoLonger(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Prove(ctx, statementIn(t, groupWith(t, who, 0, 1), who, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgressCountsToTheEnd(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	s := statementIn(t, groupWith(t, who, 0, 2), who, 0)
	w := must(p.circuit.Witness(t.Context(), must(s.Signals())(t)))(t)
	var seen []int
	if _, err := p.key.Prove(t.Context(), s, w, func(done int) { seen = append(seen, done) }); err != nil {
		t.Fatal(err)
	}
	for i := range Steps {
		if len(seen) != Steps || seen[i] != i+1 {
			t.Fatalf("steps %v of %d", seen, Steps)
		}
	}
}
