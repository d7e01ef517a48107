package wallet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
)

// smallOrder are the encodings of Ed25519 points of small order, canonical and
// not, with the sign bit clear: one signature of theirs fits many texts.
var smallOrder = [][]byte{
	unhex("0000000000000000000000000000000000000000000000000000000000000000"),
	unhex("0100000000000000000000000000000000000000000000000000000000000000"),
	unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
	unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	unhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// ErrEd25519Key tells of an Ed25519 key that must not be believed.
var ErrEd25519Key = errors.New("wallet: not an Ed25519 key of 32 bytes, or one of small order")

// CheckEd25519Key refuses what the standard library lets pass: keys of small
// order, for which anybody can sign.
func CheckEd25519Key(raw []byte) error {
	if len(raw) != ed25519.PublicKeySize {
		return ErrEd25519Key
	}
	plain := bytes.Clone(raw)
	plain[31] &= 0x7f
	for _, p := range smallOrder {
		if bytes.Equal(plain, p) {
			return ErrEd25519Key
		}
	}
	return nil
}

const pkcs8Type = "PRIVATE KEY"

var errEd25519PEM = errors.New("not an Ed25519 key in PKCS #8 PEM")

// MarshalEd25519PEM returns a software wallet's key as PKCS #8 in PEM.
func MarshalEd25519PEM(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pkcs8Type, Bytes: der}), nil
}

// ParseEd25519PEM is the inverse of MarshalEd25519PEM.
func ParseEd25519PEM(b []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pkcs8Type || len(rest) != 0 {
		return nil, errEd25519PEM
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errEd25519PEM
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errEd25519PEM
	}
	return ed, nil
}
