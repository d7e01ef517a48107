package httpapi

import (
	"net/http"
	"strconv"
	"strings"
)

// Page is a file that people's browsers get.
type Page struct {
	ContentType string
	Body        []byte
	Workers     bool // it may start workers that are pages, too
	WebAssembly bool // it may compile WebAssembly, for which a worker has a policy of its own
}

// A page may run its own script and style, talk to this service and nothing
// else; nothing may frame it (CSP Level 3).
const (
	pagePolicy   = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	scripts      = "script-src 'self'"
	withAssembly = scripts + " 'wasm-unsafe-eval'"
	withWorkers  = "; worker-src 'self'"
)

func (p *Page) policy() string {
	policy := pagePolicy
	if p.WebAssembly {
		policy = strings.Replace(policy, scripts, withAssembly, 1)
	}
	if p.Workers {
		policy += withWorkers
	}
	return policy
}

func pageRoutes(pages map[string]Page) []route {
	var routes []route
	for path, page := range pages {
		policy := page.policy()
		routes = append(routes, route{access: anyone, method: http.MethodGet, path: path,
			handle: func(w http.ResponseWriter, _ *http.Request, _ call) error {
				h := w.Header()
				h.Set("Content-Type", page.ContentType)
				h.Set("Content-Length", strconv.Itoa(len(page.Body)))
				h.Set("Content-Security-Policy", policy)
				h.Set("Cross-Origin-Opener-Policy", "same-origin")
				h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
				_, err := w.Write(page.Body)
				return ignoreWrite(err)
			}})
	}
	return routes
}
