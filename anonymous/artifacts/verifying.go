package artifacts

import _ "embed"

// VerifyingKey is the public half of Key, as the ceremony published it
// (semaphore-20.json). It is always built in.
//
//go:embed semaphore-20.json
var VerifyingKey []byte
