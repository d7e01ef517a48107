package device

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func TestASecretIsMadeOnceAndStaysItsOwners(t *testing.T) {
	d := New("http://localhost", t.TempDir()+"/identity")
	if _, err := d.Commitment(); !errors.Is(err, ErrNone) {
		t.Errorf("%v, want ErrNone", err)
	}
	first, err := d.identityOrNew()
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.identityOrNew()
	if err != nil || again.Secret() != first.Secret() {
		t.Errorf("made twice: %v", err)
	}
	good, err := os.ReadFile(d.File)
	if err != nil || string(good) != header+first.Secret()+"\n" {
		t.Errorf("%v", err)
	}
	for name, content := range map[string]string{
		"empty": "", "of a wallet": "-----BEGIN PRIVATE KEY-----\n", "a bare number": first.Secret(), "zero": header + "0\n",
		"two": string(good) + string(good), "another spelling": header + "0" + first.Secret() + "\n", "long": header + strings.Repeat("1", maxFile),
	} {
		if err := os.WriteFile(d.File, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.identityOrNew(); !errors.Is(err, ErrIdentity) || strings.Contains(err.Error(), first.Secret()) {
			t.Errorf("%s: %v", name, err)
		}
		if b, _ := os.ReadFile(d.File); string(b) != content {
			t.Errorf("%s: written over", name)
		}
	}
	if err := errors.Join(os.WriteFile(d.File, good, 0o600), os.Chmod(d.File, 0o640)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commitment(); err == nil || !strings.Contains(err.Error(), "make it 0600") {
		t.Errorf("others may read it: %v", err)
	}
}

// To go on without what was known would be to trust anew.
func TestADamagedStateIsNotForgotten(t *testing.T) {
	w := newWorld(t, 3)
	w.look()
	good, err := os.ReadFile(w.device.stateFile())
	w.ok(err)
	for name, c := range map[string][2]string{
		"cut":          {"}", ""},
		"another id":   {`"app.example.com"`, `"app.example.org"`},
		"another head": {`"size":3`, `"size":4`},
		"no key":       {`"key":"`, `"key":"x`},
	} {
		b := strings.Replace(string(good), c[0], c[1], 1)
		if b == string(good) {
			t.Fatalf("%s: nothing changed", name)
		}
		w.ok(os.WriteFile(w.device.stateFile(), []byte(b), 0o600))
		if _, err := w.device.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%s: %v", name, err)
		}
		if now, _ := os.ReadFile(w.device.stateFile()); string(now) != b {
			t.Errorf("%s: written over", name)
		}
	}
	w.ok(os.WriteFile(w.device.stateFile(), good, 0o600))
	w.look()
}

// A root is also that of itself as the only leaf.
func TestAKeptPageOfAnotherLengthIsAnother(t *testing.T) {
	w := newWorld(t, 2)
	root := w.look().Snapshot.Root
	w.ok(w.device.cache(root, []fr.Element{root}))
	if v := w.look(); v.Members != 2 {
		t.Errorf("%d members", v.Members)
	}
}
