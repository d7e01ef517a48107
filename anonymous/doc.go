// Package anonymous is what anonymous sign-in stands on: the group of enrolled
// members and its signed snapshots, the values a proof is made for, and the
// verifier of Semaphore v4 proofs (https://docs.semaphore.pse.dev; Groth16,
// https://eprint.iacr.org/2016/260, over BN254).
//
// A member proves to belong to the group, without saying which one they are. In
// one epoch the same member always shows the same nullifier, of which the
// service makes a pseudonym; nullifiers of two epochs cannot be linked.
//
// What the package defends against, and where:
//
//   - Two names for one member: every number has one spelling ([ParseScalar]),
//     and only the snapshots of the scope's own epoch count ([Window]).
//   - A proof without a member: root 0 can be proven by anyone, so it is
//     accepted nowhere; points are on the curve and in the subgroup.
//   - Telling members apart by their proofs: the depth is pinned to [Depth], and
//     nobody's root is fresher than everybody's ([Rules], [Window]).
//   - A server that links its members: clients compute every value themselves
//     ([CheckChallenge]) and keep the head of the snapshots' chain ([Chain]), so
//     that nobody can be shown a scope or a group of their own.
//
// A proof's bytes say nothing about replay: anyone can make a second proof of a
// first. What is used up is the challenge.
//
// The package knows no HTTP and no SQL, keeps nothing about who proved, and
// takes the time as a parameter.
package anonymous
