package semaphore

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func TestAPathGoesUpSideBySide(t *testing.T) {
	n := make([]fr.Element, 4)
	for i := range n {
		n[i].SetUint64(uint64(i))
	}
	if got := (Path{}).Root(n[1]); got != n[1] {
		t.Error("the root of a group of one is not its leaf")
	}
	// Right, left, right: bit i stands for sibling i.
	want := Poseidon(n[3], Poseidon(Poseidon(n[1], n[0]), n[2]))
	if got := (Path{Index: 0b101, Siblings: []fr.Element{n[1], n[2], n[3]}}).Root(n[0]); got != want {
		t.Error("another root")
	}
}
