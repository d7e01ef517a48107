package icp

import (
	"bytes"
	"context"
	"errors"
)

// Why a certificate is refused; for the log.
var (
	ErrCertificate   = errors.New("icp: not a certificate")
	ErrSubdelegation = errors.New("icp: a subnet that was delegated to delegates")
	ErrRange         = errors.New("icp: the canister is not of the subnet that signed")
)

// certificate is a part of the network's state that a subnet signed. Its time
// is not looked at: a canister's signature is made once and shown for as long
// as the delegation in it lasts, hours later, and the network checks signatures
// of canisters the same way. What ends a credential is its delegations'
// expirations, and its nonce makes it fresh.
type certificate struct {
	tree       *node
	signature  []byte
	delegation *subnetDelegation // nil if the root subnet signed
}

// subnetDelegation is the root subnet's word that another subnet's key is
// good for some canisters. It does not expire.
type subnetDelegation struct{ subnet, certificate []byte }

func parseCertificate(b []byte) (*certificate, error) {
	m, err := readMap(b)
	if err != nil {
		return nil, errors.Join(ErrCertificate, err)
	}
	tree, err := parseTree(m["tree"])
	if err != nil {
		return nil, errors.Join(ErrCertificate, err)
	}
	signature, ok := m["signature"].([]byte)
	c := &certificate{tree: tree, signature: signature}
	fields := 2
	if d, delegated := m["delegation"]; delegated {
		fields++
		c.delegation = parseSubnetDelegation(d)
		ok = ok && c.delegation != nil
	}
	if !ok || len(m) != fields {
		return nil, ErrCertificate
	}
	return c, nil
}

func parseSubnetDelegation(v any) *subnetDelegation {
	m, _ := v.(map[string]any)
	subnet, ok := m["subnet_id"].([]byte)
	cert, is := m["certificate"].([]byte)
	if !ok || !is || len(m) != 2 {
		return nil
	}
	return &subnetDelegation{subnet, cert}
}

// signed is what a subnet's key signs of a certificate.
func (c *certificate) signed() []byte { return append([]byte("\x0Dic-state-root"), c.tree.digest()...) }

// network is an Internet Computer as this service knows it.
type network struct {
	roots   []RootKey
	subnets subnets // that a root key vouched for
	slots   slots   // for the checks that are expensive
}

func newNetwork(roots ...RootKey) *network { return &network{roots: roots, slots: newSlots()} }

// check checks that a subnet in charge of the canister signed the certificate.
// Whatever is cheap comes first.
func (n *network) check(ctx context.Context, c *certificate, canister []byte) error {
	var by *subnet
	if c.delegation != nil {
		var err error
		if by, err = n.subnets.read(c.delegation); err != nil {
			return err
		}
		if !by.serves(canister) {
			return ErrRange
		}
	}
	if err := n.slots.take(ctx); err != nil {
		return err
	}
	defer n.slots.give()
	if by == nil {
		return n.signedByRoot(c)
	}
	key, err := n.subnets.key(by, func() error { return n.signedByRoot(by.vouched) })
	if err != nil {
		return err
	}
	return key.verify(c.signed(), c.signature)
}

// signedByRoot checks a certificate that the root subnet signed itself.
func (n *network) signedByRoot(c *certificate) error {
	message := c.signed()
	for _, root := range n.roots {
		if root.key.verify(message, c.signature) == nil {
			return nil
		}
	}
	return ErrSignature
}

// rangesOf returns the ranges of canisters that the root subnet's state shows
// for a subnet, from either layout: one leaf below the subnet, or shards in a
// part of the tree of their own. Both are the root's word, so either will do.
func rangesOf(tree *node, id []byte) (ranges [][2][]byte, err error) {
	var leaves [][]byte
	if one, ok := tree.leaf([]byte("subnet"), id, []byte("canister_ranges")); ok {
		leaves = append(leaves, one)
	}
	if shards := tree.find([]byte("canister_ranges"), id); shards != nil {
		shards.children(func(_ []byte, shard *node) {
			if shard.kind == nodeLeaf {
				leaves = append(leaves, shard.bytes)
			}
		})
	}
	for _, leaf := range leaves {
		v, err := readCBOR(leaf)
		if err != nil {
			return nil, errors.Join(ErrCertificate, err)
		}
		list, ok := v.([]any)
		if !ok {
			return nil, ErrCertificate
		}
		for _, item := range list {
			pair, _ := item.([]any)
			if len(pair) != 2 {
				return nil, ErrCertificate
			}
			low, ok := pair[0].([]byte)
			high, is := pair[1].([]byte)
			if !ok || !is {
				return nil, ErrCertificate
			}
			ranges = append(ranges, [2][]byte{low, high})
		}
	}
	return ranges, nil
}

// serves tells whether the canister is in one of the subnet's ranges, whose
// both ends count.
func (s *subnet) serves(canister []byte) bool {
	for _, r := range s.ranges {
		if bytes.Compare(r[0], canister) <= 0 && bytes.Compare(canister, r[1]) <= 0 {
			return true
		}
	}
	return false
}
