// Package artifacts holds what makes anonymous proofs: the Semaphore v4
// circuit of depth 20 and its proving key from the ceremony, as published, and
// our prover as WebAssembly. Each is pinned by the SHA-256 digest of its
// content and checked when it is opened.
//
// They are data to be run on a person's own device or in tests; a server only
// hands them out. Verification needs none of them: package anonymous
// holds the key's public half. Built with the tag noartifacts this package holds
// only the digests, and Open needs a directory.
//
// Provenance and licences: NOTICE, and docs/decisions/2026-11-25-artifacts.md.
package artifacts
