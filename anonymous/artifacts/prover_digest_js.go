package artifacts

// The prover for browsers cannot hold its own digest.
const proverSums = ""
