package anonymous

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// PseudonymKey makes pseudonyms. Without it nobody can tell which nullifier a
// pseudonym comes from. It must outlive a restored backup: who came before must
// be known again.
type PseudonymKey [32]byte

// String hides the key from logs.
func (PseudonymKey) String() string { return "[pseudonym key]" }

// GoString hides the key from logs.
func (PseudonymKey) GoString() string { return "[pseudonym key]" }

// pseudonymLen is in bytes: 160 bits, 32 letters without slack.
const pseudonymLen = 20

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Pseudonym returns the anonymous id of whoever shows a nullifier in an epoch:
// "anon_" and HMAC-SHA-256 of the service id behind its length, the epoch's
// number and the nullifier, cut to 160 bits.
func (k PseudonymKey) Pseudonym(s ServiceID, epoch uint64, nullifier fr.Element) string {
	h := hmac.New(sha256.New, k[:])
	h.Write(binary.BigEndian.AppendUint64(s.value("mentalverse:pseudonym:"), epoch))
	b := nullifier.Bytes()
	h.Write(b[:])
	return "anon_" + lowerBase32.EncodeToString(h.Sum(nil)[:pseudonymLen])
}
