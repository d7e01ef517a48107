// Package web holds the pages that the server shows to people: plain files,
// embedded as they are but for what not every server shows.
package web

import (
	"bytes"
	"embed"
	"html/template"
	"path"
	"strings"

	"github.com/mentalverse/session/anonymous/prover/wasm"
)

//go:embed *.html *.js *.css
var files embed.FS

// File is one page or what it loads.
type File struct {
	Path        string // in the URL
	ContentType string
	Body        []byte
	Workers     bool // it starts a worker
	WebAssembly bool // it is a worker that runs WebAssembly
}

// Options are what the pages show of a server.
type Options struct {
	// Dev offers a key of the browser's own, which nobody could get back once it is
	// lost.
	Dev bool
	// Private offers private sign-in; nil where the server has none.
	Private *Private
}

// Private is what a page must know by itself to sign somebody in privately: it
// follows no other service, and runs no other program.
type Private struct {
	Service                     string
	Epoch                       int64  // seconds
	Key                         string // signs the group; unpadded base64url
	Prover, Circuit, ProvingKey string // SHA-256 digests, in hex
	Size                        int64  // of the three together, unpacked
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
}

// Files that not every server has.
var (
	devOnly     = map[string]bool{"device.js": true}
	privateOnly = map[string]bool{"private.js": true, "group.js": true, "values.js": true, "kept.js": true, "key.js": true, "prover.js": true}
)

// Files returns every file. A page's path has no extension.
func Files(o Options) []File {
	out := read(files, func(name string) bool {
		return (o.Dev || !devOnly[name]) && (o.Private != nil || !privateOnly[name])
	})
	for i := range out {
		f := &out[i]
		if name, isPage := strings.CutSuffix(f.Path, ".html"); isPage {
			f.Path, f.Body, f.Workers = name, page(name, f.Body, o), o.Private != nil
		}
	}
	if o.Private != nil {
		worker := read(wasm.Files, func(string) bool { return true })
		for i := range worker {
			worker[i].WebAssembly = worker[i].Path == "/worker.js"
		}
		out = append(out, worker...)
	}
	return out
}

func read(from embed.FS, wanted func(name string) bool) (out []File) {
	entries, err := from.ReadDir(".")
	if err != nil {
		panic(err) // embedded above
	}
	for _, e := range entries {
		name := e.Name()
		if !wanted(name) {
			continue
		}
		body, err := from.ReadFile(name)
		if err != nil {
			panic(err)
		}
		out = append(out, File{Path: "/" + name, ContentType: contentTypes[path.Ext(name)], Body: body})
	}
	return out
}

// page renders a page, once: nothing in it depends on who asks.
func page(name string, body []byte, o Options) []byte {
	var b bytes.Buffer
	t := template.Must(template.New(name).Parse(string(body)))
	if err := t.Execute(&b, o); err != nil {
		panic(err)
	}
	return b.Bytes()
}
