package ethereum

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/mentalverse/session/wallet"
)

// Identity is a software wallet: one key. It is for the command line and for
// tests; it is immutable.
type Identity struct{ key *secp256k1.PrivateKey }

// NewIdentity makes an identity.
func NewIdentity() (*Identity, error) {
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, err
	}
	return &Identity{key}, nil
}

// Address returns the identity's account address.
func (i *Identity) Address() string { return addressOf(i.key.PubKey()) }

// Credential signs a challenge's text and returns what stands behind
// Authorization: Bearer.
func (i *Identity) Credential(text string) (string, error) {
	compact := secp.SignCompact(i.key, hashText(text), false) // v ‖ r ‖ s
	return wallet.Credential{
		Version: 1, Type: Chain().Type, Message: text, Signature: append(compact[1:], compact[0]),
	}.Encode()
}

// A key's file is an ECPrivateKey (RFC 5915) with its curve and its public key,
// as OpenSSL writes it; the standard library knows no secp256k1. The lengths
// are fixed, and so is all that stands between the two keys.
const pemType = "EC PRIVATE KEY"

var (
	beforePrivate = unhex("30740201010420")
	beforePublic  = unhex("a00706052b8104000aa144034200")

	errIdentity = errors.New("not a secp256k1 identity in RFC 5915 PEM")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func (i *Identity) der() []byte {
	return slices.Concat(beforePrivate, i.key.Serialize(), beforePublic, i.key.PubKey().SerializeUncompressed())
}

// MarshalPEM returns the identity's key in PEM. Keep it private.
func (i *Identity) MarshalPEM() ([]byte, error) {
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: i.der()}), nil
}

// ParseIdentityPEM is the inverse of MarshalPEM.
func ParseIdentityPEM(b []byte) (*Identity, error) {
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemType || len(rest) != 0 {
		return nil, errIdentity
	}
	raw, ok := bytes.CutPrefix(block.Bytes, beforePrivate)
	if !ok || len(raw) < secp256k1.PrivKeyBytesLen {
		return nil, errIdentity
	}
	var scalar secp256k1.ModNScalar
	if scalar.SetByteSlice(raw[:secp256k1.PrivKeyBytesLen]) || scalar.IsZero() {
		return nil, errIdentity
	}
	id := &Identity{secp256k1.NewPrivateKey(&scalar)}
	if !bytes.Equal(id.der(), block.Bytes) {
		return nil, errIdentity
	}
	return id, nil
}
