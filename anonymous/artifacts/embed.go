//go:build !noartifacts && !js

package artifacts

import (
	"embed"
	"io/fs"
)

//go:embed *.gz
var files embed.FS

var embedded fs.FS = files
