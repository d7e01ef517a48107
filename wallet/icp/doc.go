// Package icp verifies Internet Computer sign-in: ICRC-32 challenge signatures
// by Ed25519, P-256, secp256k1 and WebAuthn keys, directly or through a chain of
// delegations, at whose root a canister such as Internet Identity may stand (IC
// interface specification, "Authentication", "Signatures", "Certification").
//
// Nothing is fetched: a network is its root key, and the mainnet's is built in.
package icp
