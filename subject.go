package session

import (
	"crypto/rand"
	"strings"
)

// Chain names a family of wallets.
type Chain string

// The chains an account can live on.
const (
	InternetComputer Chain = "icp"
	Ethereum         Chain = "ethereum"
	Solana           Chain = "solana"
)

// Account is a wallet's public name in its canonical text form: an IC
// principal, an EIP-55 address or a Solana address.
type Account struct {
	Chain   Chain
	Address string
}

// String returns "chain:address", the account's key in a store.
func (a Account) String() string { return string(a.Chain) + ":" + a.Address }

// IsZero reports whether no account is named.
func (a Account) IsZero() bool { return a == Account{} }

// pseudonymPrefix begins the ids of subjects that are pseudonyms, and of no
// other.
const pseudonymPrefix = "anon_"

func isPseudonym(subjectID string) bool { return strings.HasPrefix(subjectID, pseudonymPrefix) }

// pseudonymBytes is how many bytes of a hash a pseudonym tells.
const pseudonymBytes = 20

// named reports whether a roster is one that a subject can have: that of a user
// who has come, or of a pseudonym, which need not have come yet. Anything else
// that is taken for an id would be acted on in vain, and stand in the trail.
func (r *Roster) named() error {
	text, pseudonym := strings.CutPrefix(r.SubjectID, pseudonymPrefix)
	if !pseudonym && r.Version > 0 {
		return nil
	}
	if raw, err := lowerBase32.DecodeString(text); pseudonym && err == nil && len(raw) == pseudonymBytes && lowerBase32.EncodeToString(raw) == text { // one spelling
		return nil
	}
	return Refuse(CodeNotFound, "There is no such user or pseudonym.", nil)
}

// Subject is whom a session is for. ID is the stable random id of a user (or,
// for an anonymous session, the pseudonym); Account is what they signed with.
type Subject struct {
	ID           string
	Account      Account
	Professional string // of a professional session, the entry of the registry it stands on
}

// NewUserID returns a fresh random user id, "user_" and 128 bits. It says
// nothing of the account, so that accounts can be linked to it later.
func NewUserID() string {
	var b [16]byte
	rand.Read(b[:])
	return "user_" + lowerBase32.EncodeToString(b[:])
}
