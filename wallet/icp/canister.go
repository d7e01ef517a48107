package icp

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
)

var canisterOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 56387, 1, 2}

// maxCanisterID is that of every principal.
const maxCanisterID = 29

// Why a canister's signature is refused before any pairing; for the log.
var (
	ErrCanisterKey = errors.New("icp: a canister's key stands only at the root of a chain")
	ErrNotSigned   = errors.New("icp: the canister's tree does not hold this message")
	ErrCertified   = errors.New("icp: the certificate does not hold the canister's tree")
)

// canisterKey is a name by which a canister signs, such as one person at one
// site with Internet Identity: it puts a message's hash under the seed's into a
// tree and has the tree's digest certified by its subnet (IC interface
// specification, "Canister signatures").
type canisterKey struct {
	network        *network
	canister, seed []byte
}

// parseCanisterKey reads a key's bits: a length, the canister's id, the seed.
func parseCanisterKey(n *network, bits []byte) (publicKey, error) {
	if len(bits) == 0 {
		return nil, ErrKey
	}
	size := int(bits[0])
	if size == 0 || size > maxCanisterID || len(bits) < 1+size {
		return nil, ErrKey
	}
	return canisterKey{n, bits[1 : 1+size], bits[1+size:]}, nil
}

// verify refuses what it can before it asks for a pairing.
func (k canisterKey) verify(ctx context.Context, message, signature []byte) error {
	tree, c, err := parseCanisterSignature(signature)
	if err != nil {
		return err
	}
	if value, ok := tree.leaf([]byte("sig"), hash(k.seed), hash(message)); !ok || len(value) != 0 {
		return ErrNotSigned
	}
	certified, ok := c.tree.leaf([]byte("canister"), k.canister, []byte("certified_data"))
	if !ok || !bytes.Equal(certified, tree.digest()) {
		return ErrCertified
	}
	return k.network.check(ctx, c, k.canister)
}

func parseCanisterSignature(b []byte) (*node, *certificate, error) {
	m, err := readMap(b)
	if err != nil {
		return nil, nil, errors.Join(ErrSignature, err)
	}
	inner, ok := m["certificate"].([]byte)
	if !ok || len(m) != 2 {
		return nil, nil, ErrSignature
	}
	tree, err := parseTree(m["tree"])
	if err != nil {
		return nil, nil, errors.Join(ErrSignature, err)
	}
	c, err := parseCertificate(inner)
	return tree, c, err
}
