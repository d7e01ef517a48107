package prover

import (
	"bytes"
	"compress/gzip"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/anonymous/semaphore"
	node "github.com/mentalverse/session/test/semaphore"
)

// call is a message to the worker, answer what comes back.
type (
	call   map[string]any
	answer struct {
		Value    any
		Error    string
		Progress []float64
		MS, CPU  float64
	}
)

var start = call{
	"call":   "start",
	"prover": artifacts.Prover + ".gz", "circuit": artifacts.Circuit + ".gz", "key": artifacts.Key + ".gz",
}

// inWorker runs calls in the browser's worker under Node.
func inWorker(t testing.TB, files string, calls ...call) []answer {
	t.Helper()
	scripts := must(filepath.Abs("wasm"))(t)
	var answers []answer
	node.Run(t, &answers, calls, "worker.mjs", scripts, files)
	if len(answers) != len(calls) {
		t.Fatalf("%d answers", len(answers))
	}
	return answers
}

func statementCall(s *Statement) call {
	siblings := []string{}
	for _, n := range s.Path.Siblings {
		siblings = append(siblings, semaphore.FormatScalar(n))
	}
	return call{"call": "prove", "statement": call{
		"secret": s.Identity.Secret(), "index": s.Path.Index, "siblings": siblings,
		"message": semaphore.FormatNumber(s.Message), "scope": semaphore.FormatNumber(s.Scope),
	}}
}

func builtIn(t testing.TB) string {
	t.Helper()
	must(keyFile())(t) // or skip
	return must(filepath.Abs("../artifacts"))(t)
}

func TestTheBrowsersWorkerProves(t *testing.T) {
	who := newIdentity(t)
	group := groupWith(t, who, 4, 5)
	s := statementIn(t, group, who, 4)
	bad := func(change func(call)) call {
		c := statementCall(s)
		change(c["statement"].(call))
		return c
	}
	calls := []call{
		statementCall(s), start, {"call": "identity"}, {"call": "commitment", "secret": who.Secret()}, statementCall(s),
		bad(func(c call) { c["secret"] = "0" }),
		bad(func(c call) { c["secret"] = subgroupOrder().String() }),
		bad(func(c call) { c["index"] = 8 }),
		bad(func(c call) { c["index"] = 0.5 }),
		bad(func(c call) { c["index"] = "1" }),
		bad(func(c call) { c["siblings"] = make([]string, semaphore.Depth+1) }),
		bad(func(c call) { c["siblings"] = nil }),
		bad(func(c call) { c["siblings"] = []any{"1", 2} }),
		bad(func(c call) { c["siblings"] = []any{fr.Modulus().String()} }),
		bad(func(c call) { c["message"] = "0x1" }),
		bad(func(c call) { c["scope"] = new(big.Int).Lsh(big.NewInt(1), 256).String() }),
		bad(func(c call) { delete(c, "scope") }),
		{"call": "prove"},
		{"call": "toString"},
		statementCall(s),
	}
	answers := inWorker(t, builtIn(t), calls...)

	if answers[0].Error == "" {
		t.Error("proved before it was started")
	}
	if answers[1].Error != "" {
		t.Fatal(answers[1].Error)
	}
	made, _ := answers[2].Value.(map[string]any)
	if made == nil || must(ParseIdentity(made["secret"].(string)))(t).Commitment() != made["commitment"] {
		t.Errorf("identity %+v", answers[2])
	}
	if answers[3].Value != who.Commitment() {
		t.Errorf("commitment %+v", answers[3])
	}
	for i := range answers[5 : len(answers)-1] {
		if a := answers[5+i]; a.Error == "" || strings.Contains(a.Error, who.Secret()) {
			t.Errorf("%v: %+v", calls[5+i], a)
		}
	}
	// The refusals have not harmed it.
	for _, a := range []answer{answers[4], answers[len(answers)-1]} {
		if a.Error != "" {
			t.Fatal(a.Error)
		}
		p := proofOf(t, a)
		if p.MerkleTreeRoot != semaphore.FormatScalar(group.Root()) {
			t.Errorf("root %s", p.MerkleTreeRoot)
		}
		verifies(t, p)
		if n := len(a.Progress); n != Steps+1 || a.Progress[n-1] != 1 {
			t.Errorf("progress %v", a.Progress)
		}
	}
}

func proofOf(t testing.TB, a answer) *semaphore.Proof {
	t.Helper()
	v := a.Value.(map[string]any)
	p := &semaphore.Proof{
		MerkleTreeDepth: int(v["merkleTreeDepth"].(float64)),
		MerkleTreeRoot:  v["merkleTreeRoot"].(string), Nullifier: v["nullifier"].(string),
		Message: v["message"].(string), Scope: v["scope"].(string),
	}
	for i := range p.Points {
		p.Points[i] = v["points"].([]any)[i].(string)
	}
	return p
}

func TestTheBrowsersWorkerTakesOnlyPinnedFiles(t *testing.T) {
	who := newIdentity(t)
	s := statementIn(t, groupWith(t, who, 0, 1), who, 0)
	from := builtIn(t)
	of := map[string]string{artifacts.Prover: "prover", artifacts.Circuit: "circuit", artifacts.Key: "key"}
	for broken, param := range of {
		dir := t.TempDir()
		for name := range of {
			if err := os.Symlink(filepath.Join(from, name+".gz"), filepath.Join(dir, name+".gz")); err != nil {
				t.Fatal(err)
			}
		}
		content := must(artifact(broken))(t)
		content = append(content[:len(content)-1:len(content)-1], content[len(content)-1]^1)
		if err := os.WriteFile(filepath.Join(dir, broken), content, 0o600); err != nil {
			t.Fatal(err)
		}
		call := maps.Clone(start)
		digests := map[string]string{}
		for name, param := range of {
			digests[param] = must(artifacts.Digest(name))(t)
		}
		call["digests"] = digests
		call[param] = broken
		answers := inWorker(t, dir, call, statementCall(s))
		if broken != artifacts.Prover {
			delete(call, "digests") // what it was not told it knows by itself
			answers = append(inWorker(t, dir, call, statementCall(s)), answers...)
			if !strings.Contains(answers[2].Error, "pinned") {
				t.Errorf("%s: %+v", broken, answers)
			}
		}
		if !strings.Contains(answers[0].Error, "pinned") || answers[1].Error == "" {
			t.Errorf("%s: %+v", broken, answers)
		}
	}
}

// Whoever sends a file may send one without end.
func TestTheBrowsersWorkerReadsNoFileWithoutEnd(t *testing.T) {
	from := builtIn(t)
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 17<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"long": make([]byte, 17<<20), "bomb": packed.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{artifacts.Prover, artifacts.Circuit, artifacts.Key} {
			_ = os.Symlink(filepath.Join(from, name+".gz"), filepath.Join(dir, name+".gz"))
		}
		call := maps.Clone(start)
		call["prover"] = name
		if a := inWorker(t, dir, call)[0]; !strings.Contains(a.Error, "too long") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
