//go:build !js

// Package wasm holds the scripts of the prover's web worker. The prover itself,
// built from the same folder, is one of the artifacts.
package wasm

import "embed"

// Files are worker.js and wasm_exec.js, which the former loads from beside it.
//
//go:embed worker.js wasm_exec.js
var Files embed.FS
