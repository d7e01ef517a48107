package semaphore

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"
)

// Hash is Semaphore's way of a message or a scope into the field: Keccak-256
// of the 32 bytes, shifted right by 8 bits.
func Hash(number [32]byte) (e fr.Element) {
	h := sha3.NewLegacyKeccak256()
	h.Write(number[:])
	e.SetBytes(h.Sum(nil)[:31]) // below 2^248, so nothing is reduced
	return e
}
