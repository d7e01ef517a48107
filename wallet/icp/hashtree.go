package icp

import (
	"bytes"
	"crypto/sha256"
	"errors"
)

// Bounds of a hash tree.
const (
	maxTreeDepth = 200
	maxTreeNodes = 4096
)

var errTree = errors.New("icp: not a hash tree")

// The kinds of nodes (IC interface specification, "Certification").
const (
	nodeEmpty uint64 = iota
	nodeFork
	nodeLabeled
	nodeLeaf
	nodePruned
)

// node is a hash tree: some of a Merkle tree, the rest of it pruned to digests.
type node struct {
	kind        uint64
	bytes       []byte // a label, a leaf's value, or the digest of what was pruned
	left, right *node  // a fork's two, or a label's one
}

// treeReader builds a tree of what CBOR gave, within its bounds.
type treeReader struct{ nodes int }

func parseTree(v any) (*node, error) { return new(treeReader).read(v, 0) }

func (r *treeReader) read(v any, depth int) (*node, error) {
	list, ok := v.([]any)
	if r.nodes++; !ok || len(list) == 0 || depth > maxTreeDepth || r.nodes > maxTreeNodes {
		return nil, errTree
	}
	n := new(node)
	if n.kind, ok = list[0].(uint64); !ok || n.kind > nodePruned || len(list) != []int{1, 3, 3, 2, 2}[n.kind] {
		return nil, errTree
	}
	if n.kind >= nodeLabeled {
		if n.bytes, ok = list[1].([]byte); !ok || n.kind == nodePruned && len(n.bytes) != sha256.Size {
			return nil, errTree
		}
	}
	var err error
	if n.kind == nodeFork {
		if n.left, err = r.read(list[1], depth+1); err == nil {
			n.right, err = r.read(list[2], depth+1)
		}
	} else if n.kind == nodeLabeled {
		n.left, err = r.read(list[2], depth+1)
	}
	return n, err
}

// digest is the tree's root hash.
func (n *node) digest() []byte {
	switch n.kind {
	case nodeEmpty:
		return hash([]byte("\x11ic-hashtree-empty"))
	case nodeFork:
		return hashOf("\x10ic-hashtree-fork", n.left.digest(), n.right.digest())
	case nodeLabeled:
		return hashOf("\x13ic-hashtree-labeled", n.bytes, n.left.digest())
	case nodeLeaf:
		return hashOf("\x10ic-hashtree-leaf", n.bytes)
	}
	return n.bytes
}

func hashOf(separator string, parts ...[]byte) []byte {
	h := sha256.New()
	h.Write([]byte(separator))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// children calls f with each label that the tree shows at its top.
func (n *node) children(f func(label []byte, below *node)) {
	switch n.kind {
	case nodeFork:
		n.left.children(f)
		n.right.children(f)
	case nodeLabeled:
		f(n.bytes, n.left)
	}
}

// find returns what the tree shows at a path, nil if nothing. That a path is
// absent is never asked: only what a signature covers counts.
func (n *node) find(path ...[]byte) *node {
	if len(path) == 0 {
		return n
	}
	var below *node
	n.children(func(label []byte, child *node) {
		if below == nil && bytes.Equal(label, path[0]) {
			below = child
		}
	})
	if below == nil {
		return nil
	}
	return below.find(path[1:]...)
}

// leaf returns the value of the leaf at a path.
func (n *node) leaf(path ...[]byte) ([]byte, bool) {
	found := n.find(path...)
	if found == nil || found.kind != nodeLeaf {
		return nil, false
	}
	return found.bytes, true
}
