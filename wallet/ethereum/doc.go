// Package ethereum verifies Ethereum sign-in: EIP-4361 texts signed by EIP-191,
// by accounts that are a key. Accounts that are a contract (EIP-1271, ERC-6492)
// are refused with a message that says so: only their chain could tell whether
// they signed.
package ethereum
