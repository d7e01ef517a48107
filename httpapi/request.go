package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// readBody reads a request's JSON body strictly into v. A body may be absent
// where optional.
func readBody(w http.ResponseWriter, r *http.Request, v any, optional bool) error {
	return readUpTo(w, r, v, optional, api.MaxBody)
}

// readUpTo is readBody of a body of up to so many bytes, whole KiB.
func readUpTo(w http.ResponseWriter, r *http.Request, v any, optional bool, most int64) error {
	if r.ContentLength == 0 && optional {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, api.PayloadTooLarge, "The body is larger than "+strconv.FormatInt(most>>10, 10)+" KiB.")
	case err != nil:
		return refuse(http.StatusBadRequest, api.InvalidRequest, "The body could not be read.")
	case len(body) == 0 && optional:
		return nil
	}
	if !isJSON(r.Header["Content-Type"]) {
		return refuse(http.StatusUnsupportedMediaType, api.UnsupportedMediaType, "Send the body as application/json.")
	}
	if err := api.Unmarshal(body, v); err != nil {
		return refuse(http.StatusBadRequest, api.InvalidRequest, "The body is not what this call takes: "+err.Error()+".")
	}
	return nil
}

// isJSON reports whether the values of Content-Type are the one that bodies have.
func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	if types[0] == "application/json" {
		return true
	}
	media, params, err := mime.ParseMediaType(types[0])
	charset := strings.ToLower(params["charset"])
	return err == nil && media == "application/json" && (charset == "" || charset == "utf-8")
}

// query parses the query string, refusing every parameter that the call does
// not name: above all, no credential may travel in a URL.
func query(r *http.Request, allowed ...string) (url.Values, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, api.InvalidRequest, "The query string is malformed.")
	}
	for name := range values {
		if !slices.Contains(allowed, name) {
			return nil, refuse(http.StatusBadRequest, api.InvalidRequest, "This call does not take that query parameter.")
		}
	}
	return values, nil
}

// refreshToken is the one refresh token of a request: the body's or the
// cookie's.
func (c *call) refreshToken(body string) (session.Secret, error) {
	switch {
	case body == "":
		return c.refresh, nil
	case c.cookies:
		return session.Secret{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send the session once: as a cookie or in the body.")
	}
	return session.NewSecret(session.Header, body), nil
}

// bearer returns the request's one Bearer credential, "" when there is none
// (RFC 6750 section 2.1; the scheme's case does not matter, RFC 9110 11.1).
func bearer(r *http.Request) (string, error) {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return "", nil
	}
	scheme, value, ok := strings.Cut(values[0], " ")
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || value == "" || has(value, ' ') || has(value, ',') || has(value, '\t') {
		return "", refuse(http.StatusBadRequest, api.InvalidRequest, "Send exactly one Authorization: Bearer header.")
	}
	return value, nil
}

func has(s string, c byte) bool { return strings.IndexByte(s, c) >= 0 }
