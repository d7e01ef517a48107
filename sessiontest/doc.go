// Package sessiontest holds fakes that others may use in their tests too: a clock,
// a network that loses answers, an Internet Computer with Internet Identity, a
// passkey, the group of a service's anonymous members, and a prover that is quick
// under the race detector. What they sign is real; only the keys are made up.
package sessiontest
