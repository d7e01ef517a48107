// Package web holds the pages that the server shows to people: plain files,
// embedded as they are but for what only a development server shows.
package web

import (
	"bytes"
	"embed"
	"html/template"
	"path"
)

//go:embed *.html *.js *.css
var files embed.FS

// File is one page or what it loads.
type File struct {
	Path        string // in the URL
	ContentType string
	Body        []byte
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
}

// devOnly are the files that only a development server has.
var devOnly = map[string]bool{"device.js": true}

// Files returns every file. A page's path has no extension. With dev they offer
// a key of the browser's own, which nobody could get back once it is lost.
func Files(dev bool) []File {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // embedded above
	}
	var out []File
	for _, e := range entries {
		name := e.Name()
		if devOnly[name] && !dev {
			continue
		}
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		f := File{Path: "/" + name, ContentType: contentTypes[path.Ext(name)], Body: body}
		if path.Ext(name) == ".html" {
			f.Path = f.Path[:len(f.Path)-len(".html")]
			f.Body = page(name, body, dev)
		}
		out = append(out, f)
	}
	return out
}

// page renders a page, once: nothing in it depends on who asks.
func page(name string, body []byte, dev bool) []byte {
	var b bytes.Buffer
	t := template.Must(template.New(name).Parse(string(body)))
	if err := t.Execute(&b, struct{ Dev bool }{dev}); err != nil {
		panic(err)
	}
	return b.Bytes()
}
