//go:build !js

package artifacts

import _ "embed"

//go:embed prover.sha256
var proverSums string
