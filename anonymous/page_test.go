package anonymous

import (
	"errors"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

func TestAClientBuildsItsPathFromPages(t *testing.T) {
	for _, size := range []int{1, 2, 5, PageSize, PageSize + 1, 2*PageSize + 3} {
		var tree Tree
		if err := tree.Append(leaves(size)...); err != nil {
			t.Fatal(err)
		}
		roots := tree.PageRoots()
		check, err := CheckPages(tree.Root(), size, roots)
		if err != nil {
			t.Fatalf("%d members: %v", size, err)
		}
		for _, i := range []int{0, size - 1} {
			page, err := tree.Page(i / PageSize)
			if err != nil {
				t.Fatal(err)
			}
			if err := check.Page(i/PageSize, page); err != nil {
				t.Errorf("%d members: page %d: %v", size, i/PageSize, err)
			}
			got, err := check.Path(i/PageSize, i%PageSize, page)
			if err != nil {
				t.Fatalf("%d members: member %d: %v", size, i, err)
			}
			want, err := tree.Path(i)
			if err != nil || got.Index != want.Index || !slices.Equal(got.Siblings, want.Siblings) {
				t.Errorf("%d members: member %d has another path", size, i)
			}
			if got.Root(tree.Leaf(i)) != tree.Root() {
				t.Errorf("%d members: member %d: the path does not lead to the root", size, i)
			}
		}
	}
}

func TestPagesThatAreNotTheSignedGroupsAreRefused(t *testing.T) {
	const size = PageSize + 2
	var tree Tree
	if err := tree.Append(leaves(size)...); err != nil {
		t.Fatal(err)
	}
	root, roots := tree.Root(), tree.PageRoots()
	check, err := CheckPages(root, size, roots)
	if err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(roots)
	other[1].SetUint64(1)
	swapped := []fr.Element{roots[1], roots[0]}
	for name, refused := range map[string]error{
		"another page":  errOf(CheckPages(root, size, other)),
		"pages swapped": errOf(CheckPages(root, size, swapped)),
		"a page less":   errOf(CheckPages(root, size, roots[:1])),
		"a page more":   errOf(CheckPages(root, size, append(roots, roots[0]))),
		"another size":  errOf(CheckPages(root, 1, roots)),
		"nobody":        errOf(CheckPages(fr.Element{}, 0, nil)),
		"root 0":        errOf(CheckPages(fr.Element{}, 1, make([]fr.Element, 1))),
		"too many":      errOf(CheckPages(root, MaxMembers+1, roots)),
	} {
		if !errors.Is(refused, ErrPages) {
			t.Errorf("%s: %v, want ErrPages", name, refused)
		}
	}
	first, _ := tree.Page(0)
	last, _ := tree.Page(1)
	changed := slices.Clone(last)
	changed[1].SetUint64(5)
	for name, err := range map[string]error{
		"a member changed":         check.Page(1, changed),
		"a member less":            check.Page(1, last[:1]),
		"two members as their one": check.Page(1, []fr.Element{roots[1]}),
		"another page's":           check.Page(0, last),
		"pages halved":             check.Page(0, first[:PageSize/2]),
		"no such page":             check.Page(2, last),
		"page -1":                  check.Page(-1, last),
		"a path in a false page":   errOf(check.Path(1, 0, changed)),
		"a path with a size less":  errOf(check.Path(1, 0, last[:1])),
		"a path in no page":        errOf(check.Path(2, 0, last)),
	} {
		if !errors.Is(err, ErrPage) {
			t.Errorf("%s: %v, want ErrPage", name, err)
		}
	}
	if _, err := check.Path(1, 2, last); !errors.Is(err, ErrNoMember) {
		t.Errorf("%v, want ErrNoMember", err)
	}
}

func TestAPagesMembersAreCanonical(t *testing.T) {
	if got, err := ParseMembers([]string{"0", "5"}); err != nil || len(got) != 2 {
		t.Error(err)
	}
	for _, bad := range [][]string{nil, {}, {"05"}, {fr.Modulus().String()}, {""}, make([]string, PageSize+1)} {
		if _, err := ParseMembers(bad); err == nil {
			t.Errorf("%d members are taken", len(bad))
		}
	}
}

func TestAGroupHasEachMemberOnce(t *testing.T) {
	all := leaves(4)
	g, err := NewGroup(all[:2]...)
	if err != nil {
		t.Fatal(err)
	}
	before := g.Tree().Root()
	for name, batch := range map[string][]fr.Element{
		"enrolled": {all[2], all[0]}, "twice in it": {all[2], all[3], all[2]},
	} {
		if err := g.Add(batch...); !errors.Is(err, ErrDuplicate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := g.Add(all[2], fr.Element{}); !errors.Is(err, ErrZero) {
		t.Error(err)
	}
	if g.Tree().Root() != before || g.Has(all[2]) || g.Has(fr.Element{}) {
		t.Error("a refused batch left something behind")
	}
	if err := g.Add(all[2:]...); err != nil || !g.Has(all[3]) || g.Tree().Size() != 4 {
		t.Error(err)
	}
	if _, err := g.Remove(all[1]); err != nil || g.Has(all[1]) || g.Members() != 3 || g.Tree().Size() != 4 {
		t.Errorf("%v, %d members", err, g.Members())
	}
	if _, err := g.Remove(all[1]); !errors.Is(err, ErrNoMember) {
		t.Errorf("%v, want ErrNoMember", err)
	}
	if want := reference([]fr.Element{all[0], {}, all[2], all[3]}); g.Tree().Root() != want {
		t.Error("another root after one left")
	}
	for s, want := range map[string]error{"0": ErrZero, "00": semaphore.ErrNumber, fr.Modulus().String(): semaphore.ErrRange, "-1": semaphore.ErrNumber, "7": nil} {
		if _, err := ParseCommitment(s); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", s, err, want)
		}
	}
}
