package httpapi

import (
	"net/http"
	"strconv"
)

// Page is a file that people's browsers get.
type Page struct {
	ContentType string
	Body        []byte
}

// pagePolicy lets a page run its own script and style, talk to this service
// and nothing else; nothing may frame it (CSP Level 3).
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func pageRoutes(pages map[string]Page) []route {
	var routes []route
	for path, page := range pages {
		routes = append(routes, route{access: anyone, method: http.MethodGet, path: path,
			handle: func(w http.ResponseWriter, _ *http.Request, _ call) error {
				h := w.Header()
				h.Set("Content-Type", page.ContentType)
				h.Set("Content-Length", strconv.Itoa(len(page.Body)))
				h.Set("Content-Security-Policy", pagePolicy)
				h.Set("Cross-Origin-Opener-Policy", "same-origin")
				h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
				_, err := w.Write(page.Body)
				return ignoreWrite(err)
			}})
	}
	return routes
}
