package ethereum

import (
	"encoding/hex"
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"golang.org/x/crypto/sha3"
)

// ErrAddress tells of a text that is not an address in its one canonical form.
var ErrAddress = errors.New("ethereum: not an address in EIP-55 form")

const (
	addressLen  = 20
	zeroAddress = "0x0000000000000000000000000000000000000000"
)

func keccak(parts ...[]byte) []byte {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// addressOf is the end of the hash of a key's point.
func addressOf(key *secp256k1.PublicKey) string {
	hash := keccak(key.SerializeUncompressed()[1:])
	return encodeAddress(hash[len(hash)-addressLen:])
}

// encodeAddress spells an address by EIP-55: a letter is a capital where the
// hash of the lower-case digits has a high bit.
func encodeAddress(raw []byte) string {
	digits := []byte(hex.EncodeToString(raw))
	hash := keccak(digits)
	for i, c := range digits {
		if nibble := hash[i/2] >> (4 * (1 - i%2)); c >= 'a' && nibble&8 != 0 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}

// CheckAddress refuses anything but an EIP-55 address: no other case, and not
// the zero address, which is nobody's.
func CheckAddress(text string) error {
	if len(text) != len(zeroAddress) || text == zeroAddress {
		return ErrAddress
	}
	raw, err := hex.DecodeString(text[2:])
	if err != nil || encodeAddress(raw) != text {
		return ErrAddress
	}
	return nil
}
