package icp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"slices"
)

var coseOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 56387, 1, 1}

// Passkeys' keys are COSE in CTAP2's canonical CBOR and without optional
// members (WebAuthn, section 6.5.1.1), so each kind is one template, and one key
// has one spelling and one principal.
var (
	coseES256 = unhex("a5010203262001215820") // kty EC2, alg ES256, crv P-256, x
	coseY     = unhex("225820")
	coseRS256 = unhex("a40103033901002059") // kty RSA, alg RS256, n of two bytes' length
	coseE     = unhex("2143010001")         // e is 65537
)

// Bounds of an RSA modulus, in bytes.
const minRSA, maxRSA = 256, 512

// parseCOSE reads a passkey's public key.
func parseCOSE(n *network, b []byte) (publicKey, error) {
	if rest, ok := bytes.CutPrefix(b, coseES256); ok {
		if len(rest) != 32+len(coseY)+32 || !bytes.Equal(rest[32:32+len(coseY)], coseY) {
			return nil, ErrKey
		}
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, rest[:32], rest[32+len(coseY):]))
		if err != nil {
			return nil, ErrKey
		}
		return passkeyES256{k}, nil
	}
	if rest, ok := bytes.CutPrefix(b, coseRS256); ok && len(rest) > 2 {
		size := int(rest[0])<<8 | int(rest[1])
		modulus, ok := bytes.CutSuffix(rest[2:], coseE)
		if !ok || len(modulus) != size || size < minRSA || size > maxRSA || modulus[0]&0x80 == 0 {
			return nil, ErrKey
		}
		return passkeyRS256{n, &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537}}, nil
	}
	return nil, ErrKey
}
