// Package wallet reads what a wallet answers: the sign-in text (CAIP-122 in
// EIP-4361 field order), the credential that carries it, and the registry of
// chains. Each chain's verifier is a small value in a folder of its own.
//
// What a credential says is untrusted until its signature has been checked and
// its text has been found to be, byte for byte, the one this service wrote.
package wallet
