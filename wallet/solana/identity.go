package solana

import (
	"crypto/ed25519"

	"github.com/mr-tron/base58"

	"github.com/mentalverse/session/wallet"
)

// Identity is a software wallet: one key. It is for the command line and for
// tests; it is immutable.
type Identity struct{ key ed25519.PrivateKey }

// NewIdentity makes an identity.
func NewIdentity() (*Identity, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return &Identity{key}, nil
}

func (i *Identity) public() ed25519.PublicKey { return i.key.Public().(ed25519.PublicKey) }

// Address returns the identity's account address.
func (i *Identity) Address() string { return base58.Encode(i.public()) }

// Credential signs a challenge's text and returns what stands behind
// Authorization: Bearer.
func (i *Identity) Credential(text string) (string, error) {
	return wallet.Credential{
		Version: 1, Type: Chain().Type, Message: text,
		Signature: ed25519.Sign(i.key, []byte(text)), PublicKey: wallet.Blob(i.public()),
	}.Encode()
}

// MarshalPEM returns the identity's key as PKCS #8 in PEM. Keep it private.
func (i *Identity) MarshalPEM() ([]byte, error) { return wallet.MarshalEd25519PEM(i.key) }

// ParseIdentityPEM is the inverse of MarshalPEM.
func ParseIdentityPEM(b []byte) (*Identity, error) {
	key, err := wallet.ParseEd25519PEM(b)
	if err != nil {
		return nil, err
	}
	return &Identity{key}, nil
}
