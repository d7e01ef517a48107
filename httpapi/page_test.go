package httpapi

import "testing"

// The policies written out, so that a change of them is made twice.
func TestAPageMayDoWhatItIsFor(t *testing.T) {
	const before, after = "default-src 'none'; script-src 'self'", "; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	for want, page := range map[string]Page{
		before + after:                         {},
		before + after + "; worker-src 'self'": {Workers: true},
		before + " 'wasm-unsafe-eval'" + after: {WebAssembly: true},
	} {
		if got := page.policy(); got != want {
			t.Errorf("%+v: %s", page, got)
		}
	}
}
