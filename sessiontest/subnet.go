package sessiontest

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// Layout is where a delegation to a subnet says which canisters it has.
type Layout int

// The layouts in use.
const (
	OneLeaf Layout = iota // /subnet/<id>/canister_ranges
	Sharded               // /canister_ranges/<id>/<first canister of a shard>
)

// Range is a range of canister ids, both ends included.
type Range [2][]byte

// Subnet is a subnet of a fake Internet Computer, which signs whatever state it
// is given. It is immutable.
type Subnet struct {
	id, public []byte
	secret     *big.Int
	delegation map[string][]byte // nil of a root subnet
}

// NewRoot makes a root subnet with a key of its own.
func NewRoot() *Subnet {
	var k fr.Element
	if _, err := k.SetRandom(); err != nil {
		panic(err) // without randomness there are no keys
	}
	s := &Subnet{secret: k.BigInt(new(big.Int))}
	_, _, _, generator := bls12381.Generators()
	point := new(bls12381.G2Affine).ScalarMultiplication(&generator, s.secret).Bytes()
	s.public = append(unhex("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100"), point[:]...)
	sum := sha256.Sum224(s.public)
	s.id = append(sum[:], 0x02)
	return s
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// PublicKey returns the subnet's key in DER: of a root subnet, the root key.
func (s *Subnet) PublicKey() []byte { return slices.Clone(s.public) }

// ID returns the subnet's principal in bytes.
func (s *Subnet) ID() []byte { return slices.Clone(s.id) }

// Delegate makes a subnet that has the canisters of the ranges.
func (s *Subnet) Delegate(layout Layout, ranges ...Range) *Subnet {
	to := NewRoot()
	about := map[string]Tree{"public_key": Leaf(to.public)}
	state := map[string]Tree{}
	switch layout {
	case OneLeaf:
		about["canister_ranges"] = Leaf(selfDescribed(append([]Range{}, ranges...)))
	case Sharded:
		first := []byte{}
		if len(ranges) > 0 {
			first = ranges[0][0]
		}
		shard := Label(first, Leaf(selfDescribed(append([]Range{}, ranges...))))
		// A delegation shows the shard that a canister is in, of many.
		state["canister_ranges"] = Label(to.id, Fork(shard, Pruned(Label([]byte("~"), Empty()))))
	}
	state["subnet"] = Fork(Label(to.id, Labels(about)), Pruned(Label([]byte("~"), Empty())))
	state["time"] = Leaf(leb128(fixedTime))
	return s.Vouch(to, Labels(state))
}

// Vouch returns the subnet with a delegation of the given state, true or not.
func (s *Subnet) Vouch(to *Subnet, state Tree) *Subnet {
	out := *to
	out.delegation = map[string][]byte{"subnet_id": to.id, "certificate": s.Certify(state)}
	return &out
}

// Certify signs a state and returns the certificate, with the subnet's own
// delegation if it has one.
func (s *Subnet) Certify(state Tree) []byte {
	c := map[string]any{"tree": state, "signature": s.sign(append([]byte("\x0Dic-state-root"), state.digest...))}
	if s.delegation != nil {
		c["delegation"] = s.delegation
	}
	return selfDescribed(c)
}

func (s *Subnet) sign(message []byte) []byte {
	h, err := bls12381.HashToG1(message, []byte("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"))
	if err != nil {
		panic(err) // of a domain that is too long
	}
	sig := new(bls12381.G1Affine).ScalarMultiplication(&h, s.secret).Bytes()
	return sig[:]
}
