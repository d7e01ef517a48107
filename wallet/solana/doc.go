// Package solana verifies Solana sign-in: the text of EIP-4361 for a Solana
// account, as @solana/wallet-standard-util writes it, signed by the Ed25519 key
// that the address is.
package solana
