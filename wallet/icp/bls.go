package icp

import (
	"bytes"
	"slices"
	"sync"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// blsPrefix is what precedes the 96 bytes of a key in DER: BLS12-381 with
// signatures in G1 and keys in G2.
var blsPrefix = unhex("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100")

var blsDomain = []byte("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_")

// blsKey is a subnet's public key. The lines of the pairing's Miller loop hang
// on the generator and the key alone, so they are drawn once: a check then costs
// about what a bare pairing does.
type blsKey struct {
	der   []byte
	lines []lines // the generator's, the key's
}

type lines = [2][len(bls12381.LoopCounter) - 1]bls12381.LineEvaluationAff

var generatorLines = sync.OnceValue(func() lines {
	_, _, _, generator := bls12381.Generators()
	return bls12381.PrecomputeLines(generator)
})

// parseBLSKey reads a key in DER. SetBytes checks its curve and its subgroup.
func parseBLSKey(der []byte) (*blsKey, error) {
	raw, ok := bytes.CutPrefix(der, blsPrefix)
	if !ok || len(raw) != bls12381.SizeOfG2AffineCompressed {
		return nil, ErrKey
	}
	var point bls12381.G2Affine
	if _, err := point.SetBytes(raw); err != nil || point.IsInfinity() {
		return nil, ErrKey
	}
	k := &blsKey{der: bytes.Clone(der)}
	k.lines = append(k.lines, generatorLines(), bls12381.PrecomputeLines(point))
	return k, nil
}

// verify checks e(signature, generator) = e(H(message), key).
func (k *blsKey) verify(message, signature []byte) error {
	var s bls12381.G1Affine
	if len(signature) != bls12381.SizeOfG1AffineCompressed {
		return ErrSignature
	}
	if _, err := s.SetBytes(signature); err != nil || s.IsInfinity() {
		return ErrSignature
	}
	h, err := bls12381.HashToG1(message, blsDomain)
	if err != nil {
		return err
	}
	s.Neg(&s)
	// The library scales the lines it is given in place: it gets a copy.
	if ok, err := bls12381.PairingCheckFixedQ([]bls12381.G1Affine{s, h}, slices.Clone(k.lines)); err != nil || !ok {
		return ErrSignature
	}
	return nil
}
