//go:build noartifacts || js

package artifacts

import "io/fs"

var embedded fs.FS
