// Package icp verifies Internet Computer sign-in: ICRC-32 challenge signatures
// by Ed25519, P-256 and secp256k1 keys, directly or through a chain of
// delegations (IC interface specification, "Authentication").
package icp
