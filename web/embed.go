// Package web holds the pages that the server shows to people: plain files,
// embedded as they are.
package web

import (
	"embed"
	"path"
)

//go:embed signin.html signin.js signin.css
var files embed.FS

// File is one page or what it loads.
type File struct {
	Path        string // in the URL
	ContentType string
	Body        []byte
}

// Files returns every file. A page's path has no extension.
func Files() []File {
	var out []File
	for _, f := range []File{
		{Path: "/signin", ContentType: "text/html; charset=utf-8"},
		{Path: "/signin.js", ContentType: "text/javascript; charset=utf-8"},
		{Path: "/signin.css", ContentType: "text/css; charset=utf-8"},
	} {
		name := path.Base(f.Path)
		if path.Ext(name) == "" {
			name += ".html"
		}
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err) // embedded above
		}
		f.Body = body
		out = append(out, f)
	}
	return out
}
