// Package httpapi serves the domain over HTTP: routes, the envelope, strict
// reading of requests, and the mapping of refusals to status codes. It holds no
// rule of the domain.
package httpapi
