package httpapi

import "net/http"

// Operator returns the handler of the operator listener: metrics, and health
// for those who look from inside.
func Operator(metrics http.Handler, opts Options) (http.Handler, error) {
	return newMux(opts, []route{
		{access: operator, method: "GET", path: "/metrics", handle: func(w http.ResponseWriter, r *http.Request, _ call) error {
			metrics.ServeHTTP(w, r)
			return nil
		}},
	}, nil)
}
