package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mentalverse/session/api"
)

// origins decides which pages and which host names may reach the service.
// Nothing is believed of a request's own Host header except that it must be
// one of ours: a name that an attacker points at us (DNS rebinding) is not.
type origins struct {
	self    string   // the service's own origin
	apart   string   // its second one, of anonymous sessions; empty for none
	listed  []string // other origins whose pages may call
	hosts   []string // host names besides the own origin's
	dev     bool     // pages of this machine may call
	protect *http.CrossOriginProtection
}

func newOrigins(o Options) (origins, error) {
	own := origins{self: o.Origin, apart: o.AnonymousOrigin, listed: o.Origins, hosts: o.Hosts, dev: o.Dev, protect: http.NewCrossOriginProtection()}
	for _, origin := range []string{o.Origin, o.AnonymousOrigin} {
		if u, err := url.Parse(origin); err == nil && u.Host != "" {
			own.hosts = append(slices.Clone(own.hosts), u.Host)
		}
	}
	for _, origin := range append([]string{o.Origin}, o.Origins...) {
		if origin == "" {
			continue
		}
		if err := own.protect.AddTrustedOrigin(origin); err != nil {
			return origins{}, err
		}
	}
	return own, nil
}

// isApart reports whether a request's Host is that of anonymous sessions.
func (o *origins) isApart(host string) bool {
	_, own, _ := strings.Cut(o.apart, "://")
	return own != "" && strings.EqualFold(own, host)
}

// own is the origin that a request's Host belongs to.
func (o *origins) own(host string) string {
	if o.isApart(host) {
		return o.apart
	}
	return o.self
}

// allows reports whether pages of the origin may call under a Host. The
// comparison is of the whole text: no suffix, prefix or "null" passes.
func (o *origins) allows(origin, host string) bool {
	if origin == "" || origin == "null" {
		return false
	}
	return origin == o.own(host) || slices.Contains(o.listed, origin) || o.dev && isLocal(origin)
}

// isLocal reports whether an origin is a page of this machine.
func isLocal(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin {
		return false
	}
	return (u.Scheme == "http" || u.Scheme == "https") && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// knows reports whether a request's Host is one of ours. Addresses pass: no
// name is resolved to reach them, so none can be rebound.
func (o *origins) knows(host string) bool {
	for _, own := range o.hosts {
		if strings.EqualFold(own, host) {
			return true
		}
	}
	name := host
	if strings.LastIndexByte(host, ':') >= 0 {
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return o.dev && isLoopback(strings.ToLower(name))
}

var originDenied = refuse(http.StatusForbidden, api.OriginDenied, "Pages of this origin may not call this service.")

// check refuses what a page of a foreign origin would send. A request that
// changes something and whose credential a browser attached by itself must say
// where it comes from; a program that attaches its own need not.
func (o *origins) check(r *http.Request, byCookie bool) error {
	values := r.Header["Origin"]
	if len(values) > 1 {
		return originDenied
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil // without CORS headers no foreign page can read the answer
	}
	origin := r.Header.Get("Origin")
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case len(values) == 1 && o.allows(origin, r.Host):
		return nil
	case len(values) == 1, site != "" && site != "same-origin" && site != "none", site == "" && byCookie:
		return originDenied
	}
	if o.protect.Check(r) != nil {
		return originDenied
	}
	return nil
}

// checkHandshake refuses a socket to pages of foreign origins: no rule of
// browsers keeps them from opening one, with the cookies of their person, and
// from reading what it tells. A browser always says where a handshake comes
// from; a program need not, and has no cookies.
func (o *origins) checkHandshake(r *http.Request, byCookie bool) error {
	values := r.Header["Origin"]
	switch {
	case len(values) == 1 && o.allows(values[0], r.Host):
		return nil
	case len(values) == 0 && !byCookie:
		return nil
	}
	return originDenied
}

// Names of the fields that pages of listed origins may send and read.
const (
	corsMethods = "GET, POST, PATCH, DELETE"
	corsRequest = "Authorization, Content-Type, Session-CSRF, Session-Activity"
	corsAnswer  = "Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate"
)

// answer sets the CORS fields for a listed origin (Fetch standard, section
// 3.3). For every other origin there are none.
func (o *origins) answer(h http.Header, r *http.Request) {
	values := r.Header["Origin"]
	if len(values) != 1 {
		return
	}
	if origin := values[0]; origin != "" && origin != o.own(r.Host) && o.allows(origin, r.Host) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", corsAnswer)
	}
}

// preflight answers a browser that asks whether a page may call.
func (o *origins) preflight(w http.ResponseWriter, r *http.Request, _ call) error {
	if !o.allows(r.Header.Get("Origin"), r.Host) || len(r.Header.Values("Origin")) != 1 {
		return originDenied
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsRequest)
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
