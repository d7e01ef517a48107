package icp

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/mentalverse/session/wallet"
)

// Identity is a software wallet: a key, and the delegations that lead to it
// when it acts for another's principal. It is for the command line and for
// tests; it is immutable.
type Identity struct {
	root  []byte // DER of the key the principal is made from
	own   []byte // DER of the signing key
	chain []wallet.SignedDelegation
	sign  func(message []byte) ([]byte, error)
	ed    ed25519.PrivateKey // of an identity that can be written to a file
}

// NewIdentity makes an Ed25519 identity.
func NewIdentity() (*Identity, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return fromEd25519(key), nil
}

func fromEd25519(key ed25519.PrivateKey) *Identity {
	der := slices.Concat(ed25519Prefix, key.Public().(ed25519.PublicKey))
	return &Identity{root: der, own: der, ed: key, sign: func(m []byte) ([]byte, error) {
		return ed25519.Sign(key, m), nil
	}}
}

// NewP256Identity makes a P-256 identity, as WebCrypto session keys are.
func NewP256Identity() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	der := slices.Concat(p256Prefix, raw)
	return &Identity{root: der, own: der, sign: func(m []byte) ([]byte, error) {
		sum := sha256.Sum256(m)
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			return nil, err
		}
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return sig, nil
	}}, nil
}

// NewSecp256k1Identity makes a secp256k1 identity.
func NewSecp256k1Identity() (*Identity, error) {
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, err
	}
	der := slices.Concat(secp256k1Prefix, key.PubKey().SerializeUncompressed())
	return &Identity{root: der, own: der, sign: func(m []byte) ([]byte, error) {
		sum := sha256.Sum256(m)
		return secp.SignCompact(key, sum[:], false)[1:], nil // without the recovery byte
	}}, nil
}

// SignWith returns an identity whose signatures are made elsewhere: by a
// canister, an authenticator, a device. publicKey is its key in DER.
func SignWith(publicKey []byte, sign func(message []byte) ([]byte, error)) *Identity {
	der := slices.Clone(publicKey)
	return &Identity{root: der, own: der, sign: sign}
}

// Principal returns the identity's account address.
func (i *Identity) Principal() string { return principalOf(i.root) }

// PublicKey returns the DER of the key that signs.
func (i *Identity) PublicKey() []byte { return slices.Clone(i.own) }

// Delegate returns to acting for i's principal until the expiration.
func (i *Identity) Delegate(to *Identity, until time.Time) (*Identity, error) {
	d := wallet.Delegation{PublicKey: to.PublicKey(), Expiration: strconv.FormatInt(until.UnixNano(), 10)}
	return i.delegate(to, d)
}

func (i *Identity) delegate(to *Identity, d wallet.Delegation) (*Identity, error) {
	_, nanos, err := expiration(d.Expiration)
	if err != nil {
		return nil, err
	}
	sig, err := i.sign(delegationMessage(&d, nanos))
	if err != nil {
		return nil, err
	}
	out := *to
	out.root, out.ed = i.root, nil
	out.chain = append(slices.Clone(i.chain), wallet.SignedDelegation{Delegation: d, Signature: sig})
	return &out, nil
}

// Credential signs a challenge's text and returns what stands behind
// Authorization: Bearer.
func (i *Identity) Credential(text string) (string, error) {
	sig, err := i.sign(challengeMessage(text))
	if err != nil {
		return "", err
	}
	return wallet.Credential{
		Version: 1, Type: credentialType, Message: text, Signature: sig, PublicKey: i.root, Delegations: i.chain,
	}.Encode()
}

var errIdentity = errors.New("not an Ed25519 identity")

// MarshalPEM returns an Ed25519 identity as PKCS #8 in PEM. Keep it private.
func (i *Identity) MarshalPEM() ([]byte, error) {
	if i.ed == nil {
		return nil, errIdentity
	}
	return wallet.MarshalEd25519PEM(i.ed)
}

// ParseIdentityPEM is the inverse of MarshalPEM.
func ParseIdentityPEM(b []byte) (*Identity, error) {
	key, err := wallet.ParseEd25519PEM(b)
	if err != nil {
		return nil, err
	}
	return fromEd25519(key), nil
}
