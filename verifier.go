package session

import (
	"context"
	"time"
)

// Verifier reads credentials of one family, such as wallet answers. A new
// family is a new Verifier; the service knows none by name.
type Verifier interface {
	// Prompt returns the text that the challenge's account must sign. An
	// [Error] with CodeInvalidRequest tells of a chain that is not served or an
	// address not in its canonical form. It is a pure function of c.
	Prompt(c Challenge) (string, error)

	// Open reads a credential as a client sent it: bounded, strict, and without
	// checking a signature. An [Error] with CodeCredentialInvalid otherwise.
	Open(credential string) (Presented, error)
}

// Presented is a credential that was read and not yet verified: nothing it
// says is to be believed before Verify.
type Presented interface {
	// Claim returns what the credential says of itself.
	Claim() Claim
	// Verify checks that the credential answers exactly c (whose text must be
	// the signed one, byte for byte) at now. An [Error] with
	// CodeChallengeInvalid when the text differs, with CodeCredentialInvalid
	// when the signature, the key, a delegation or the account does not hold.
	Verify(ctx context.Context, c Challenge, now time.Time) (Evidence, error)
}

// Claim is the unverified word of a credential.
type Claim struct {
	Account Account
	Nonce   string
}

// Evidence is what a verified credential proves.
type Evidence struct {
	Account Account
	// NotAfter is the earliest end among the delegations; zero without any.
	NotAfter time.Time
	// SessionKey is the first delegation's public key in DER, nil when the
	// account's own key signed. A delegated key signs without its person.
	SessionKey []byte
}
