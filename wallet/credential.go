package wallet

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mentalverse/session/api"
)

// MaxCredential bounds a credential's text, in characters.
const MaxCredential = 8000

// Credential is a wallet's answer: base64url(JSON) without padding.
type Credential struct {
	Version     int                `json:"v"`
	Type        string             `json:"type"` // icp:icrc32, eip191, solana:ed25519
	Message     string             `json:"message"`
	Signature   Blob               `json:"signature"`
	PublicKey   Blob               `json:"publicKey,omitempty"`
	Delegations []SignedDelegation `json:"delegations,omitempty"`
}

// SignedDelegation is one link of an Internet Computer delegation chain.
type SignedDelegation struct {
	Delegation Delegation `json:"delegation"`
	Signature  Blob       `json:"signature"`
}

// Delegation lets another key sign until Expiration. Targets and Permissions
// are nil when absent: an absent field is hashed differently from an empty one.
type Delegation struct {
	PublicKey   Blob      `json:"pubkey"`
	Expiration  string    `json:"expiration"`        // decimal nanoseconds since 1970
	Targets     *[]string `json:"targets,omitempty"` // canister principals
	Permissions *string   `json:"permissions,omitempty"`
}

// Blob is bytes that stand in JSON as unpadded base64url, in their one
// canonical spelling.
type Blob []byte

// MarshalText implements encoding.TextMarshaler.
func (b Blob) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Blob) UnmarshalText(text []byte) (err error) {
	*b, err = decode(string(text))
	return err
}

var errBase64 = errors.New("not unpadded base64url")

// decode is base64url in its one canonical spelling: the library alone would
// skip line breaks.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errBase64
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errBase64
	}
	return b, nil
}

// ParseCredential reads a credential's text: bounded and strict.
func ParseCredential(s string) (Credential, error) {
	var c Credential
	if len(s) > MaxCredential {
		return c, fmt.Errorf("longer than %d characters", MaxCredential)
	}
	b, err := decode(s)
	if err != nil {
		return c, err
	}
	if err := api.Unmarshal(b, &c); err != nil {
		return c, err
	}
	if c.Version != 1 || c.Type == "" || c.Message == "" || len(c.Signature) == 0 {
		return c, errors.New("v must be 1, and type, message and signature are needed")
	}
	return c, nil
}

// Encode returns the credential's text.
func (c Credential) Encode() (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
