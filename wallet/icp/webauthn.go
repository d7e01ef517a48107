package icp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"

	"github.com/go-json-experiment/json"
)

// Of an authenticator's data (WebAuthn, section 6.1): 32 bytes of the relying
// party's hash, the flags, a counter.
const (
	minAuthenticatorData = 37
	flagsAt              = 32
	userPresent          = 0x01
)

// passkeyES256 and passkeyRS256 sign messages as WebAuthn assertions.
type (
	passkeyES256 struct{ *ecdsa.PublicKey }
	passkeyRS256 struct {
		network *network
		*rsa.PublicKey
	}
)

// verify takes the signature as ASN.1 DER, in its one spelling.
func (k passkeyES256) verify(_ context.Context, message, signature []byte) error {
	digest, sig, err := readAssertion(message, signature)
	if err != nil {
		return err
	}
	return verdict(ecdsa.VerifyASN1(k.PublicKey, digest, sig))
}

func (k passkeyRS256) verify(ctx context.Context, message, signature []byte) error {
	digest, sig, err := readAssertion(message, signature)
	if err != nil {
		return err
	}
	if err := k.network.slots.take(ctx); err != nil {
		return err
	}
	defer k.network.slots.give()
	return verdict(rsa.VerifyPKCS1v15(k.PublicKey, crypto.SHA256, digest, sig) == nil)
}

// readAssertion checks what an assertion says and returns what its signature is
// over. The challenge is the message itself (IC interface specification, "Web
// Authentication").
//
// Origin and relying party are not checked, as the network does not: a chain may
// begin with a passkey of a wallet's site, which no configuration here could
// list. The browser lets no site use another's passkeys, and the message is of a
// text that names this service.
func readAssertion(message, assertion []byte) (digest, signature []byte, err error) {
	m, err := readMap(assertion)
	if err != nil || len(m) != 3 {
		return nil, nil, ErrSignature
	}
	data, ok := m["authenticator_data"].([]byte)
	signature, is := m["signature"].([]byte)
	if !ok || !is || len(data) < minAuthenticatorData || data[flagsAt]&userPresent == 0 {
		return nil, nil, ErrSignature
	}
	var client []byte
	switch v := m["client_data_json"].(type) {
	case string:
		client = []byte(v)
	case []byte:
		client = v
	}
	// Members that are not known may be there: browsers add some at random so
	// that nobody compares templates. Repeated ones may not.
	var said struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(client, &said) != nil || said.Type != "webauthn.get" || said.Challenge != base64.RawURLEncoding.EncodeToString(message) {
		return nil, nil, ErrSignature
	}
	over := sha256.Sum256(client)
	return hash(append(bytes.Clone(data), over[:]...)), signature, nil
}
