package sessiontest

import (
	"crypto/sha256"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Tree is a hash tree of the Internet Computer, as certificates and canisters'
// signatures show them. The zero value is none: start from the functions.
type Tree struct {
	node   []any // what CBOR makes of it
	digest []byte
}

// Empty is the tree without anything.
func Empty() Tree { return Tree{[]any{0}, separated("\x11ic-hashtree-empty")} }

// Leaf holds a value.
func Leaf(value []byte) Tree {
	return Tree{[]any{3, slices.Clip(append([]byte{}, value...))}, separated("\x10ic-hashtree-leaf", value)}
}

// Label puts a tree under a name.
func Label(name []byte, below Tree) Tree {
	return Tree{[]any{2, name, below.node}, separated("\x13ic-hashtree-labeled", name, below.digest)}
}

// Fork joins two trees. Names to the left are the smaller ones.
func Fork(left, right Tree) Tree {
	return Tree{[]any{1, left.node, right.node}, separated("\x10ic-hashtree-fork", left.digest, right.digest)}
}

// Pruned is a tree of which only the digest is shown.
func Pruned(t Tree) Tree { return Tree{[]any{4, t.digest}, t.digest} }

// Labels puts each tree under its name, in the order of the names.
func Labels(below map[string]Tree) Tree {
	var list []Tree
	for _, name := range slices.Sorted(maps.Keys(below)) {
		list = append(list, Label([]byte(name), below[name]))
	}
	return join(list)
}

func join(list []Tree) Tree {
	switch half := len(list) / 2; len(list) {
	case 0:
		return Empty()
	case 1:
		return list[0]
	default:
		return Fork(join(list[:half]), join(list[half:]))
	}
}

// Digest returns the root hash.
func (t Tree) Digest() []byte { return slices.Clone(t.digest) }

// MarshalCBOR implements cbor.Marshaler.
func (t Tree) MarshalCBOR() ([]byte, error) { return cbor.Marshal(t.node) }

func separated(separator string, parts ...[]byte) []byte {
	h := sha256.New()
	h.Write([]byte(separator))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// selfDescribed is CBOR with the tag that the Internet Computer puts before it.
func selfDescribed(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic(err) // of values made here
	}
	return append([]byte{0xd9, 0xd9, 0xf7}, b...)
}
