package prover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/mentalverse/session/anonymous/artifacts"
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

// tree is a LeanIMT, the plain way: level by level.
type tree [][]fr.Element

func treeOf(leaves ...fr.Element) tree {
	t := tree{leaves}
	for len(t[len(t)-1]) > 1 {
		var next []fr.Element
		for below := t[len(t)-1]; len(below) > 0; below = below[min(2, len(below)):] {
			if len(below) == 1 {
				next = append(next, below[0])
			} else {
				next = append(next, poseidon(below[0], below[1]))
			}
		}
		t = append(t, next)
	}
	return t
}

func (t tree) root() string { return decimal(t[len(t)-1][0]) }

func (t tree) path(at int) (index uint64, siblings []*big.Int) {
	for _, level := range t[:len(t)-1] {
		if at^1 < len(level) {
			index |= uint64(at&1) << len(siblings)
			siblings = append(siblings, level[at^1].BigInt(new(big.Int)))
		}
		at >>= 1
	}
	return index, siblings
}

func element(t testing.TB, s string) (e fr.Element) {
	t.Helper()
	if _, err := e.SetString(s); err != nil {
		t.Fatal(err)
	}
	return e
}

func newIdentity(t testing.TB) *Identity { return must(NewIdentity())(t) }

// groupWith returns a tree of n leaves, who at one of them.
func groupWith(t testing.TB, who *Identity, at, n int) tree {
	leaves := make([]fr.Element, n)
	for i := range leaves {
		leaves[i].SetUint64(uint64(1000 + i))
	}
	leaves[at] = element(t, who.Commitment())
	return treeOf(leaves...)
}

func statementIn(group tree, who *Identity, at int) *Statement {
	s := &Statement{Identity: who, Message: new(big.Int).Lsh(big.NewInt(0xabc), 244), Scope: big.NewInt(30)}
	s.Index, s.Siblings = group.path(at)
	return s
}

func TestMembersOfGroupsOfAllShapes(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	for _, group := range []struct{ n, at int }{{1, 0}, {2, 1}, {3, 2}, {5, 4}, {5, 1}, {7, 6}, {33, 32}, {1001, 500}} {
		t.Run(fmt.Sprintf("%d of %d", group.at, group.n), func(t *testing.T) {
			tree := groupWith(t, who, group.at, group.n)
			proof, err := p.Prove(t.Context(), statementIn(tree, who, group.at))
			if err != nil {
				t.Fatal(err)
			}
			if proof.MerkleTreeRoot != tree.root() {
				t.Errorf("root %s, want %s", proof.MerkleTreeRoot, tree.root())
			}
			if want := decimal(poseidon(field(hash(big.NewInt(30))), field(who.secret))); proof.Nullifier != want {
				t.Errorf("nullifier %s, want %s", proof.Nullifier, want)
			}
			verifies(t, proof)
		})
	}
}

func field(n *big.Int) (e fr.Element) { return *e.SetBigInt(n) }

func TestAPathOfTwentyLevels(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	s := statementIn(groupWith(t, who, 0, 1), who, 0)
	node := element(t, who.Commitment())
	for i := range Depth {
		sibling := field(big.NewInt(int64(i + 7)))
		s.Siblings = append(s.Siblings, sibling.BigInt(new(big.Int)))
		if s.Index = 0b1011_0011_1000_1111_0101; s.Index>>i&1 == 1 {
			node = poseidon(sibling, node)
		} else {
			node = poseidon(node, sibling)
		}
	}
	proof, err := p.Prove(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if proof.MerkleTreeRoot != decimal(node) {
		t.Errorf("root %s, want %s", proof.MerkleTreeRoot, decimal(node))
	}
	verifies(t, proof)
}

// The circuit itself computes the commitment: it is the root of a group of one.
func TestTheCircuitAgreesOnCommitments(t *testing.T) {
	c := must(compiled())(t)
	l := subgroupOrder()
	for i, who := range []*Identity{newIdentity(t), newIdentity(t), {big.NewInt(1)}, {new(big.Int).Sub(l, big.NewInt(1))}} {
		s := &Statement{Identity: who, Message: new(big.Int), Scope: new(big.Int)}
		w, err := c.Witness(t.Context(), must(s.Signals())(t))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := who.Commitment(), decimal(w[wireRoot]); got != want {
			t.Errorf("%d: commitment %s, the circuit says %s", i, got, want)
		}
	}
}

func TestTheSameMemberIsTheSameWithinAScopeOnly(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	s := statementIn(groupWith(t, who, 2, 5), who, 2)
	first := must(p.Prove(t.Context(), s))(t)
	again := must(p.Prove(t.Context(), s))(t)
	if first.Nullifier != again.Nullifier {
		t.Error("two pseudonyms in one scope")
	}
	if first.Points == again.Points {
		t.Error("a proof without blinding")
	}
	s.Scope = big.NewInt(31)
	if other := must(p.Prove(t.Context(), s))(t); other.Nullifier == first.Nullifier {
		t.Error("one pseudonym in two scopes")
	}
}

func TestManyProveAtOnce(t *testing.T) {
	p := testProver(t)
	var g sync.WaitGroup
	for range 4 {
		who := newIdentity(t)
		s := statementIn(groupWith(t, who, 3, 6), who, 3)
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
	if _, err := p.Prove(ctx, statementIn(groupWith(t, who, 0, 1), who, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgressCountsToTheEnd(t *testing.T) {
	p := testProver(t)
	who := newIdentity(t)
	s := statementIn(groupWith(t, who, 0, 2), who, 0)
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

func TestAProofsJSONIsSemaphores(t *testing.T) {
	b := must(json.Marshal(Proof{MerkleTreeDepth: Depth, MerkleTreeRoot: "1", Nullifier: "2", Message: "3", Scope: "4"}))(t)
	const want = `{"merkleTreeDepth":20,"merkleTreeRoot":"1","nullifier":"2","message":"3","scope":"4","points":["","","","","","","",""]}`
	if string(b) != want {
		t.Errorf("%s", b)
	}
}
