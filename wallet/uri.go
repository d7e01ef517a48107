package wallet

import (
	"net/netip"
	"strings"
)

// The character sets of RFC 3986, appendix A.
const (
	alpha      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit      = "0123456789"
	hexDigit   = digit + "abcdefABCDEF"
	unreserved = alpha + digit + "-._~"
	subDelims  = "!$&'()*+,;="
	genDelims  = ":/?#[]@"
	pchar      = unreserved + subDelims + ":@"
)

// only tells whether every byte of s stands in the set.
func only(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

// encoded is only, where a byte may also be percent-encoded.
func encoded(s, set string) bool {
	for {
		plain, rest, found := strings.Cut(s, "%")
		if !only(plain, set) {
			return false
		}
		if !found {
			return true
		}
		if len(rest) < 2 || !only(rest[:2], hexDigit) {
			return false
		}
		s = rest[2:]
	}
}

// isURI tells a URI (RFC 3986, section 3). net/url reads far more than that.
func isURI(s string) bool {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !isScheme(scheme) {
		return false
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if !encoded(fragment, pchar+"/?") || !encoded(query, pchar+"/?") {
		return false
	}
	if hier, ok := strings.CutPrefix(rest, "//"); ok {
		authority, _, _ := strings.Cut(hier, "/")
		if authority != "" && !isAuthority(authority) {
			return false
		}
		rest = hier[len(authority):]
	}
	return encoded(rest, pchar+"/")
}

func isScheme(s string) bool {
	return s != "" && only(s[:1], alpha) && only(s, alpha+digit+"+-.")
}

// isAuthority tells an authority (RFC 3986, section 3.2) that names a host.
func isAuthority(s string) bool {
	if userinfo, rest, found := strings.Cut(s, "@"); found {
		if !encoded(userinfo, unreserved+subDelims+":") {
			return false
		}
		s = rest
	}
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal, port, found := strings.Cut(literal, "]")
		return found && isIPLiteral(literal) && (port == "" || port[0] == ':' && only(port[1:], digit))
	}
	host, port, _ := strings.Cut(s, ":")
	return host != "" && encoded(host, unreserved+subDelims) && only(port, digit)
}

// isIPLiteral tells what may stand between brackets: an IPv6 address without a
// zone, or a form of the future.
func isIPLiteral(s string) bool {
	if future, ok := strings.CutPrefix(strings.ToLower(s), "v"); ok {
		version, rest, found := strings.Cut(future, ".")
		return found && version != "" && only(version, hexDigit) && rest != "" && only(rest, unreserved+subDelims+":")
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == ""
}
