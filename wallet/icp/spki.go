package icp

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/mentalverse/session/wallet"
)

// Public keys arrive as DER; exact prefixes give one key one spelling, and so
// one principal.
var (
	ed25519Prefix   = unhex("302a300506032b6570032100")
	p256Prefix      = unhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
	secp256k1Prefix = unhex("3056301006072a8648ce3d020106052b8104000a034200")
)

// maxKey bounds a key's DER: an RSA modulus of 4096 bits and what is around it.
const maxKey = 1024

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// Why a key or a signature is refused; for the log.
var (
	ErrKey       = errors.New("icp: not a public key of a known scheme")
	ErrSignature = errors.New("icp: signature does not verify")
)

// publicKey checks a signature over a message: nil, a reason why it does not
// hold, or a *session.Error if that is not known.
type publicKey interface {
	verify(ctx context.Context, message, signature []byte) error
}

func verdict(ok bool) error {
	if !ok {
		return ErrSignature
	}
	return nil
}

// publicKey reads a DER public key.
func (n *network) publicKey(der []byte) (publicKey, error) {
	if raw, ok := bytes.CutPrefix(der, ed25519Prefix); ok {
		if wallet.CheckEd25519Key(raw) != nil {
			return nil, ErrKey
		}
		return edKey(bytes.Clone(raw)), nil
	}
	if raw, ok := bytes.CutPrefix(der, p256Prefix); ok && len(raw) == 65 {
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
		if err != nil {
			return nil, ErrKey
		}
		return p256Key{k}, nil
	}
	if raw, ok := bytes.CutPrefix(der, secp256k1Prefix); ok && len(raw) == 65 && raw[0] == 4 {
		k, err := secp256k1.ParsePubKey(raw)
		if err != nil {
			return nil, ErrKey
		}
		return secpKey{k}, nil
	}
	switch algorithm, bits := unwrap(der); {
	case algorithm.Equal(canisterOID):
		return parseCanisterKey(n, bits)
	case algorithm.Equal(coseOID):
		return parseCOSE(n, bits)
	}
	return nil, ErrKey
}

// unwrap returns what a key of the Internet Computer's own kinds is made of,
// nothing if it is not DER in its one spelling.
func unwrap(der []byte) (asn1.ObjectIdentifier, []byte) {
	var key struct {
		Algorithm struct{ ID asn1.ObjectIdentifier }
		Bits      asn1.BitString
	}
	if len(der) > maxKey {
		return nil, nil
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil, nil
	}
	if again, err := asn1.Marshal(key); err != nil || !bytes.Equal(again, der) || key.Bits.BitLength%8 != 0 {
		return nil, nil
	}
	return key.Algorithm.ID, key.Bits.Bytes
}

type edKey ed25519.PublicKey

func (k edKey) verify(_ context.Context, message, sig []byte) error {
	return verdict(len(sig) == ed25519.SignatureSize && ed25519.Verify(ed25519.PublicKey(k), message, sig))
}

type p256Key struct{ *ecdsa.PublicKey }

// verify accepts high S: WebCrypto makes it half the time.
func (k p256Key) verify(_ context.Context, message, sig []byte) error {
	if len(sig) != 64 {
		return ErrSignature
	}
	sum := sha256.Sum256(message)
	return verdict(ecdsa.Verify(k.PublicKey, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])))
}

type secpKey struct{ *secp256k1.PublicKey }

// verify refuses high S, which no wallet of this curve makes.
func (k secpKey) verify(_ context.Context, message, sig []byte) error {
	if len(sig) != 64 {
		return ErrSignature
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig[:32]) || s.SetByteSlice(sig[32:]) || s.IsOverHalfOrder() {
		return ErrSignature
	}
	sum := sha256.Sum256(message)
	return verdict(secp.NewSignature(&r, &s).Verify(sum[:], k.PublicKey))
}
