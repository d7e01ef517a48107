// Package semaphore is what a maker and a verifier of Semaphore v4 proofs must
// compute alike (https://docs.semaphore.pse.dev): numbers in their one
// spelling, the hashes, a member's path through the tree, and the proof's
// fields.
//
// It stands below both, [github.com/mentalverse/session/anonymous] and
// [github.com/mentalverse/session/anonymous/prover], and is small, because the
// latter is sent to browsers.
package semaphore
