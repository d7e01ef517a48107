package sessiontest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/mentalverse/session/wallet/icp"
)

// Passkey is a software authenticator with one key. Change its fields to make
// it say something else.
type Passkey struct {
	Site     string // the relying party; its pages' origin is https:// and that
	Ceremony string // webauthn.get
	Flags    byte   // user present, user verified
	Bytes    bool   // the client data as bytes: some libraries do not make text of it

	cose []byte
	sign func(digest []byte) ([]byte, error)
}

// NewPasskey makes an authenticator with an ES256 key, as nearly all have.
func NewPasskey(site string) (*Passkey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	return &Passkey{
		Site: site, Ceremony: "webauthn.get", Flags: 0x05,
		cose: slices.Concat(unhex("a5010203262001215820"), point[1:33], unhex("225820"), point[33:]),
		sign: func(digest []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, key, digest) },
	}, nil
}

// NewRSAPasskey makes an authenticator with an RS256 key, as Windows Hello's are.
func NewRSAPasskey(site string, bits int) (*Passkey, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	n := key.N.Bytes()
	return &Passkey{
		Site: site, Ceremony: "webauthn.get", Flags: 0x05,
		cose: slices.Concat(unhex("a401030339010020"), []byte{0x59, byte(len(n) >> 8), byte(len(n))}, n, unhex("2143010001")),
		sign: func(digest []byte) ([]byte, error) { return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest) },
	}, nil
}

// COSE returns the public key as the authenticator gives it out.
func (p *Passkey) COSE() []byte { return slices.Clone(p.cose) }

// Identity returns the passkey as an identity of the Internet Computer.
func (p *Passkey) Identity() *icp.Identity {
	return icp.SignWith(WrapKey(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 56387, 1, 1}, p.cose), p.Sign)
}

// Sign returns an assertion over a message, as the Internet Computer takes them.
func (p *Passkey) Sign(message []byte) ([]byte, error) {
	client, err := json.Marshal(map[string]any{
		"type": p.Ceremony, "challenge": base64.RawURLEncoding.EncodeToString(message), "origin": "https://" + p.Site, "crossOrigin": false,
	})
	if err != nil {
		return nil, err
	}
	return p.Assert(client)
}

// Assert returns an assertion over client data of any kind.
func (p *Passkey) Assert(client []byte) ([]byte, error) {
	site, over := sha256.Sum256([]byte(p.Site)), sha256.Sum256(client)
	data := slices.Concat(site[:], []byte{p.Flags, 0, 0, 0, 1})
	digest := sha256.Sum256(slices.Concat(data, over[:]))
	sig, err := p.sign(digest[:])
	if err != nil {
		return nil, err
	}
	assertion := map[string]any{"authenticator_data": data, "client_data_json": string(client), "signature": sig}
	if p.Bytes {
		assertion["client_data_json"] = client
	}
	return selfDescribed(assertion), nil
}
