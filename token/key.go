package token

// Algorithm is a JWS algorithm (RFC 7518 section 3.1, RFC 8037).
type Algorithm string

// The algorithms a session token may be signed with. A key has exactly one.
const (
	EdDSA Algorithm = "EdDSA" // Ed25519; the default
	ES256 Algorithm = "ES256"
	HS256 Algorithm = "HS256" // never published: services must call validate
)
