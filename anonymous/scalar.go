package anonymous

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// ParseScalar reads a root, a nullifier or a commitment in its one spelling.
func ParseScalar(s string) (fr.Element, error) { return semaphore.ParseScalar(s) }

// FormatScalar is the inverse of [ParseScalar].
func FormatScalar(e fr.Element) string { return semaphore.FormatScalar(e) }
