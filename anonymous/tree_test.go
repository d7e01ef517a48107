package anonymous

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// leaves returns n different numbers, quickly.
func leaves(n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].SetUint64(uint64(i)*0x9e3779b97f4a7c15 + 1)
	}
	return out
}

// reference is the paper's definition, word for word.
func reference(nodes []fr.Element) fr.Element {
	for len(nodes) > 1 {
		var above []fr.Element
		for i := 0; i < len(nodes); i += 2 {
			if i+1 < len(nodes) {
				above = append(above, semaphore.Poseidon(nodes[i], nodes[i+1]))
			} else {
				above = append(above, nodes[i])
			}
		}
		nodes = above
	}
	if len(nodes) == 0 {
		return fr.Element{}
	}
	return nodes[0]
}

func TestTreesOfTheJavaScriptLibrary(t *testing.T) {
	var v struct {
		Inserts []string
		Ops     [][3]any
		Proofs  []struct {
			I, Index int
			Siblings []string
		}
	}
	readVectors(t, "lean_imt.json", &v)
	_, groups := madeProofs(t)
	members := scalars(t, groups["1000"].Members)
	if len(v.Inserts) != 70 || len(v.Ops) != 5 || len(v.Proofs) != 4 {
		t.Fatal("the vectors are others")
	}
	var tree Tree
	for i, want := range v.Inserts {
		if err := tree.Append(members[i]); err != nil {
			t.Fatal(err)
		}
		if root := tree.Root(); FormatScalar(root) != want {
			t.Fatalf("root %s after %d inserts", root.String(), i+1)
		}
	}
	for _, op := range v.Ops {
		var leaf fr.Element
		if op[0] == "update" {
			leaf.SetUint64(12345)
		}
		if err := tree.Update(int(op[1].(float64)), leaf); err != nil {
			t.Fatal(err)
		}
		if root := tree.Root(); FormatScalar(root) != op[2] {
			t.Errorf("root %s after %v", root.String(), op)
		}
	}
	for _, p := range v.Proofs {
		got, err := tree.Path(p.I)
		if err != nil {
			t.Fatal(err)
		}
		if int(got.Index) != p.Index || !slices.Equal(got.Siblings, scalars(t, p.Siblings)) {
			t.Errorf("leaf %d: path %v", p.I, got)
		}
		if got.Root(tree.Leaf(p.I)) != tree.Root() {
			t.Errorf("leaf %d: the path does not lead to the root", p.I)
		}
	}
	for n, g := range groups {
		if root, err := Root(scalars(t, g.Members)); err != nil || FormatScalar(root) != g.Root {
			t.Errorf("group of %s: root %s", n, root.String())
		}
	}
}

func TestATreeWithNobodyLeftHasRoot0(t *testing.T) {
	var v struct {
		OneRemoved struct {
			Root string
			Size int
		}
	}
	readVectors(t, "lean_imt.json", &v)
	var tree Tree
	if root := tree.Root(); !root.IsZero() {
		t.Error("an empty tree has a root")
	}
	if err := errors.Join(tree.Append(leaves(1)...), tree.Update(0, fr.Element{})); err != nil {
		t.Fatal(err)
	}
	if FormatScalar(tree.Root()) != v.OneRemoved.Root || tree.Size() != v.OneRemoved.Size {
		t.Errorf("root %s, size %d", FormatScalar(tree.Root()), tree.Size())
	}
}

// However the leaves come, one by one, in batches or changed later, the tree is
// that of its leaves, and every path leads to its root.
func TestATreeIsItsLeavesHoweverTheyCame(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		all := leaves(1 + rng.IntN(300))
		var single, batched Tree
		for _, l := range all {
			if err := single.Append(l); err != nil {
				t.Fatal(err)
			}
		}
		for rest := all; len(rest) > 0; {
			n := 1 + rng.IntN(len(rest))
			if err := batched.Append(rest[:n]...); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		now := slices.Clone(all)
		for range rng.IntN(10) {
			i := rng.IntN(len(now))
			now[i].SetUint64(rng.Uint64N(3))
			if err := errors.Join(single.Update(i, now[i]), batched.Update(i, now[i])); err != nil {
				t.Fatal(err)
			}
		}
		want := reference(now)
		if single.Root() != want || batched.Root() != want {
			t.Fatalf("round %d: %d leaves have other roots", round, len(all))
		}
		for i := range now {
			p, err := batched.Path(i)
			if err != nil || p.Root(now[i]) != want {
				t.Fatalf("round %d: leaf %d of %d: its path does not lead to the root", round, i, len(all))
			}
		}
	}
}

func TestATreeOfManyPagesBuiltByAllCoresIsTheSame(t *testing.T) {
	all := leaves(2*PageSize + 777)
	var tree Tree
	if err := errors.Join(tree.Append(all[:PageSize+5]...), tree.Append(all[PageSize+5:]...)); err != nil {
		t.Fatal(err)
	}
	if tree.Root() != reference(all) {
		t.Error("another root")
	}
}

func TestATreeKnowsItsBounds(t *testing.T) {
	var tree Tree
	for _, err := range []error{tree.Update(0, fr.Element{}), errOf(tree.Path(0)), errOf(tree.Page(0)), errOf(tree.Page(-1)), errOf(tree.Path(-1))} {
		if !errors.Is(err, ErrNoMember) {
			t.Errorf("%v, want ErrNoMember", err)
		}
	}
	if err := tree.Append(make([]fr.Element, MaxMembers+1)...); !errors.Is(err, ErrTreeFull) || tree.Size() != 0 {
		t.Errorf("%v, want ErrTreeFull", err)
	}
}

func errOf[T any](_ T, err error) error { return err }

func BenchmarkTree(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		all := leaves(n)
		b.Run(fmt.Sprintf("batch of %d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var tree Tree
				if err := tree.Append(all...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "members/s")
		})
	}
	var tree Tree
	if err := tree.Append(leaves(100_000)...); err != nil {
		b.Fatal(err)
	}
	one := leaves(1)[0]
	b.Run("one more to 100000", func(b *testing.B) {
		for b.Loop() {
			if err := tree.Append(one); err != nil {
				tree = Tree{}
			}
		}
	})
}
