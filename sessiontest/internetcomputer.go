package sessiontest

import (
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"time"

	"github.com/mentalverse/session/wallet/icp"
)

// InternetIdentity is the canister that signs people in on the mainnet
// (rdmx6-jaaaa-aaaaa-aaadq-cai).
var InternetIdentity = CanisterID(7)

// CanisterID returns the id of a network's nth canister.
func CanisterID(n uint64) []byte { return append(binary.BigEndian.AppendUint64(nil, n), 1, 1) }

// fixedTime is what certificates say of their time: nobody who verifies a
// signature looks at it.
const fixedTime = 1_700_000_000_000_000_000

func leb128(n uint64) []byte { return binary.AppendUvarint(nil, n) }

// InternetComputer is a fake Internet Computer: a root key, a subnet that it
// vouches for, and the canisters on it. What it signs verifies under its own
// root key and no other.
type InternetComputer struct {
	Root, Subnet *Subnet
}

// NewInternetComputer makes a network whose subnet has the first 2,048 canisters,
// in two ranges, and thus Internet Identity.
func NewInternetComputer(layout Layout) *InternetComputer {
	root := NewRoot()
	return &InternetComputer{Root: root, Subnet: root.Delegate(layout, Range{CanisterID(0), CanisterID(1023)}, Range{CanisterID(1024), CanisterID(2047)})}
}

// RootKey returns the root key, for icp.Chain.
func (ic *InternetComputer) RootKey() icp.RootKey {
	k, err := icp.ParseRootKey(ic.Root.PublicKey())
	if err != nil {
		panic(err) // of a key made here
	}
	return k
}

// SignIn returns what a page holds after a person signed in to it with Internet
// Identity: a P-256 session key, and the canister's delegation to it for 8 h.
func (ic *InternetComputer) SignIn(person string, now time.Time) (*icp.Identity, error) {
	session, err := icp.NewP256Identity()
	if err != nil {
		return nil, err
	}
	return ic.Person(person).Delegate(session, now.Add(8*time.Hour))
}

// Person returns an identity that signs as Internet Identity does for a person.
func (ic *InternetComputer) Person(name string) *icp.Identity {
	seed := sha256.Sum256([]byte(name))
	return icp.SignWith(CanisterKey(InternetIdentity, seed[:]), func(payload []byte) ([]byte, error) {
		return ic.Subnet.CanisterSignature(InternetIdentity, seed[:], payload), nil
	})
}

// CanisterKey is the public key, in DER, by which a canister signs under a seed.
func CanisterKey(canister, seed []byte) []byte {
	return WrapKey(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 56387, 1, 2}, slices.Concat([]byte{byte(len(canister))}, canister, seed))
}

// WrapKey is SubjectPublicKeyInfo of an algorithm without parameters, in DER.
func WrapKey(algorithm asn1.ObjectIdentifier, bits []byte) []byte {
	der, err := asn1.Marshal(struct {
		Algorithm struct{ ID asn1.ObjectIdentifier }
		Bits      asn1.BitString
	}{struct{ ID asn1.ObjectIdentifier }{algorithm}, asn1.BitString{Bytes: bits, BitLength: 8 * len(bits)}})
	if err != nil {
		panic(err) // of values made here
	}
	return der
}

// CanisterSignature signs a payload as a canister does that is on the subnet.
func (s *Subnet) CanisterSignature(canister, seed, payload []byte) []byte {
	under, over := sha256.Sum256(seed), sha256.Sum256(payload)
	others := Pruned(Label([]byte("~"), Empty())) // of other people
	tree := Label([]byte("sig"), Fork(Label(under[:], Label(over[:], Leaf(nil))), others))
	return CanisterSignatureOf(tree, s.Certify(CanisterState(canister, tree.Digest())))
}

// CanisterState is the state of a subnet that shows a canister's certified data.
func CanisterState(canister, certified []byte) Tree {
	about := Fork(Label([]byte("certified_data"), Leaf(certified)), Pruned(Label([]byte("module_hash"), Leaf(nil))))
	return Labels(map[string]Tree{
		"canister": Fork(Label(canister, about), Pruned(Label([]byte("~"), Empty()))),
		"time":     Leaf(leb128(fixedTime)),
	})
}

// CanisterSignatureOf puts a canister's signature together.
func CanisterSignatureOf(tree Tree, certificate []byte) []byte {
	return selfDescribed(map[string]any{"certificate": certificate, "tree": tree})
}
