package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwardedFor is the field that proxies append the address of their peer to.
const forwardedFor = "X-Forwarded-For"

// maxHops bounds how many proxies are walked past.
const maxHops = 16

// proxies are the peers whose word about a client's address counts.
type proxies []netip.Prefix

// client is the peer's address, unless the peer is a proxy of ours. Then the
// field is read from the right, where the nearest proxy wrote: each entry is
// believed because the hop right of it is ours. The first address that is none
// is the client. A missing or malformed entry ends the walk at the hop that
// wrote it: what a client can choose never counts.
func (p proxies) client(r *http.Request) netip.Addr {
	at := peer(r.RemoteAddr)
	if len(p) == 0 || !p.contain(at) {
		return at
	}
	entries := strings.Join(r.Header.Values(forwardedFor), ",")
	for range maxHops {
		i := strings.LastIndexByte(entries, ',')
		next, ok := parseHop(strings.Trim(entries[i+1:], " \t"))
		if !ok {
			break
		}
		if at = next; i < 0 || !p.contain(at) {
			break
		}
		entries = entries[:i]
	}
	return at
}

func (p proxies) contain(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(one netip.Prefix) bool { return one.Contains(a) })
}

// peer is the address of the other end, the zero address when it has none.
func peer(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// nat64 is the well-known prefix of translated IPv4 addresses (RFC 6052, 2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// block is what is counted as one client: an IPv4 address, and a /64 of IPv6,
// which is what one subscriber gets at the least (RFC 6177).
func block(a netip.Addr) netip.Addr {
	a = a.Unmap()
	switch {
	case nat64.Contains(a):
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	case a.Is6():
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

// parseHop reads an address, with or without a port, IPv6 then in brackets
// (RFC 7239, section 6). "unknown" and obfuscated names are no addresses.
func parseHop(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
			a, err = netip.ParseAddr(inner[:len(inner)-1])
			if err == nil && !a.Is6() {
				return netip.Addr{}, false
			}
		} else {
			var ap netip.AddrPort
			ap, err = netip.ParseAddrPort(s)
			a = ap.Addr()
		}
	}
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}
