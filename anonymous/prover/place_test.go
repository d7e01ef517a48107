package prover

import (
	"reflect"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/semaphore"
)

// place is what a page tells the worker of a downloaded group.
func place(t testing.TB, group *anonymous.Tree, who *Identity, at int) call {
	page := at / anonymous.PageSize
	return call{"call": "path", "place": call{
		"root": semaphore.FormatScalar(group.Root()), "size": group.Size(), "pageRoots": formatted(group.PageRoots()),
		"page": page, "members": formatted(must(group.Page(page))(t)), "commitment": who.Commitment(),
	}}
}

func formatted(list []fr.Element) (out []any) {
	for _, e := range list {
		out = append(out, semaphore.FormatScalar(e))
	}
	return out
}

func TestTheBrowsersWorkerFindsPlaces(t *testing.T) {
	who := newIdentity(t)
	groups := []struct{ n, at int }{{1, 0}, {5, 4}, {anonymous.PageSize, 77}, {anonymous.PageSize + 3, 5}, {anonymous.PageSize + 3, anonymous.PageSize + 2}}
	calls := []call{start}
	var want []semaphore.Path
	for _, g := range groups {
		group := groupWith(t, who, g.at, g.n)
		calls, want = append(calls, place(t, group, who, g.at)), append(want, must(group.Path(g.at))(t))
	}
	group := groupWith(t, who, 4, 5)
	for _, change := range []func(call){
		func(c call) { c["root"] = "5" },
		func(c call) { c["root"] = fr.Modulus().String() },
		func(c call) { c["root"], c["pageRoots"] = "0", []any{"0"} },
		func(c call) { c["size"] = 4 },
		func(c call) { c["size"] = anonymous.MaxMembers + 1 },
		func(c call) { c["size"] = "5" },
		func(c call) { c["page"] = 1 },
		func(c call) { c["page"] = -1 },
		func(c call) { c["page"] = 0.5 },
		func(c call) { c["pageRoots"] = nil },
		func(c call) { c["pageRoots"] = []any{} },
		func(c call) { c["members"] = c["members"].([]any)[1:] },
		func(c call) { c["members"].([]any)[0] = "1" },
		func(c call) { c["members"].([]any)[0] = 1000 },
		func(c call) { c["members"] = call{"length": 5} },
		func(c call) { c["commitment"] = "7" },
		func(c call) { delete(c, "commitment") },
		// The two halves of a group are the root of its root's children alone.
		func(c call) { c["size"], c["pageRoots"], c["members"] = 1, []any{c["root"]}, []any{c["root"]} },
	} {
		c := place(t, group, who, 4)
		change(c["place"].(call))
		calls = append(calls, c)
	}
	calls = append(calls, call{"call": "path"})

	answers := inWorker(t, builtIn(t), calls...)
	for i, path := range want {
		got, _ := answers[1+i].Value.(map[string]any)
		siblings, _ := got["siblings"].([]any)
		if got == nil || got["index"] != float64(path.Index) || len(siblings) != len(path.Siblings) ||
			len(siblings) > 0 && !reflect.DeepEqual(siblings, formatted(path.Siblings)) {
			t.Errorf("%+v: %+v, want %+v", groups[i], answers[1+i], path)
		}
		t.Logf("%d members: %.0f ms", groups[i].n, answers[1+i].MS)
	}
	for i, a := range answers[1+len(want):] {
		if a.Error == "" || !strings.Contains(a.Error, ": ") {
			t.Errorf("%v: %+v", calls[1+len(want)+i], a)
		}
	}
}
