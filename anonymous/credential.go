package anonymous

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mentalverse/session/api"
)

// CredentialType names the one kind of anonymous credential.
const CredentialType = "semaphore:v4"

// maxCredential bounds a credential's text, in characters. A proof's is about
// 1,400.
const maxCredential = 4000

// ErrCredential tells of a text that is no anonymous credential; for the log.
var ErrCredential = errors.New("anonymous: not a credential")

// Credential is a prover's answer to a challenge: base64url(JSON) without
// padding.
type Credential struct {
	Version   int    `json:"v"`
	Type      string `json:"type"`
	Challenge string `json:"challenge"` // its nonce
	Proof     Proof  `json:"proof"`
}

// ParseCredential reads a credential's text: bounded and strict. It looks at no
// number.
func ParseCredential(s string) (c Credential, err error) {
	if len(s) > maxCredential || strings.ContainsAny(s, "\r\n") { // the decoder would skip line breaks
		return c, ErrCredential
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return c, ErrCredential
	}
	if err := api.Unmarshal(b, &c); err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	if c.Version != 1 || c.Type != CredentialType || checkName(c.Challenge) != nil {
		return Credential{}, ErrCredential
	}
	return c, nil
}

// Encode returns the credential's text.
func (c Credential) Encode() (string, error) {
	b, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(b), err
}
