// Package prover makes Semaphore v4 proofs: that whoever holds a secret is a
// member of a group, without saying which one, bound to a message and a scope.
// It runs the published circuit and the ceremony's proving key (package
// artifacts), natively and, without the circuit's runner, as WebAssembly in a
// browser (folder wasm).
//
// The parts, each by itself:
//
//   - Identity is the secret and the commitment that groups hold.
//   - Statement is what is to be proven; its Signals go into the circuit.
//   - Circuit computes the witness natively; a browser runs the same circuit
//     by itself.
//   - Key reads the proving key and makes the Groth16 proof of a witness.
//
// Prover puts them together. Every proof is verified before it is returned, so
// that a damaged key or a fault cannot send one out that says more than it
// should; it is no replacement for the server's verifier, which trusts nobody.
//
// The arithmetic is not constant in time. It runs on the device of the person
// whose secret it is, once per sign-in.
package prover
