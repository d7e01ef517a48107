package session

import (
	"context"
	"time"
)

// Verifier reads credentials of one family, such as wallet answers. A new
// family is a new Verifier; the service knows none by name.
type Verifier interface {
	// Ask returns what the challenge asks. An [Error] with CodeInvalidRequest
	// tells of a chain that is not served or an address not in its canonical form.
	// It is a pure function of c.
	Ask(c Challenge) (Question, error)

	// Open reads a credential as a client sent it: bounded, strict, and without
	// checking a signature. An [Error] with CodeCredentialInvalid otherwise.
	Open(credential string) (Presented, error)
}

// Question is what a challenge asks.
type Question struct {
	Message string // the text to sign or, for a proof, the number to prove for
	Scope   string // of a proof: the number that its nullifier hangs on
	Epoch   uint64 // of a proof for signing in: the scope's
}

// Presented is a credential that was read and not yet verified: nothing it
// says is to be believed before Verify.
type Presented interface {
	// Claim returns what the credential says of itself to one who reads it at now.
	Claim(now time.Time) Claim
	// Verify checks that the credential answers exactly c (whose text must be
	// the signed one, byte for byte) at now. An [Error] with
	// CodeChallengeInvalid when the text differs, with CodeCredentialInvalid
	// when the signature, the key, a delegation or the account does not hold.
	Verify(ctx context.Context, c Challenge, now time.Time) (Evidence, error)
}

// Claim is the unverified word of a credential.
type Claim struct {
	Account   Account
	Pseudonym string // of a proof; empty when it can be nobody's
	Nonce     string
}

// Evidence is what a verified credential proves.
type Evidence struct {
	Account   Account
	Pseudonym string // of a proof, which has no account
	// NotAfter is the earliest end among the delegations, or the end of the
	// pseudonym's epoch; zero without any.
	NotAfter time.Time
	// SessionKey is the first delegation's public key in DER, nil when the
	// account's own key signed. A delegated key signs without its person.
	SessionKey []byte
}
