package httpapi

import (
	"net/http"
	"net/netip"
	"testing"
)

func prefixes(s ...string) (out proxies) {
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func TestTheClientsAddress(t *testing.T) {
	trusted := prefixes("10.0.0.0/8", "fd00::/8")
	for name, c := range map[string]struct {
		field, peer string
		lines       []string
		want        string
	}{
		"no proxy":               {forwardedFor, "192.0.2.1:5", nil, "192.0.2.1"},
		"a client that pretends": {forwardedFor, "192.0.2.1:5", []string{"198.51.100.9"}, "192.0.2.1"},
		"one proxy":              {forwardedFor, "10.0.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		"chosen by the client":   {forwardedFor, "10.0.0.1:5", []string{"198.51.100.9, 192.0.2.1"}, "192.0.2.1"},
		"in a line of its own":   {forwardedFor, "10.0.0.1:5", []string{"198.51.100.9", "192.0.2.1"}, "192.0.2.1"},
		"two proxies":            {forwardedFor, "10.0.0.1:5", []string{"198.51.100.9, 192.0.2.1,\t10.0.0.2"}, "192.0.2.1"},
		"a proxy is the client":  {forwardedFor, "10.0.0.1:5", []string{"10.0.0.2"}, "10.0.0.2"},
		"no field":               {forwardedFor, "10.0.0.1:5", nil, "10.0.0.1"},
		"an empty field":         {forwardedFor, "10.0.0.1:5", []string{""}, "10.0.0.1"},
		"an empty entry":         {forwardedFor, "10.0.0.1:5", []string{"192.0.2.1,"}, "10.0.0.1"},
		"malformed at a proxy":   {forwardedFor, "10.0.0.1:5", []string{"192.0.2.1, nonsense, 10.0.0.2"}, "10.0.0.2"},
		"malformed further left": {forwardedFor, "10.0.0.1:5", []string{"nonsense, 192.0.2.1"}, "192.0.2.1"},
		"leading zeros":          {forwardedFor, "10.0.0.1:5", []string{"192.0.2.01"}, "10.0.0.1"},
		"with a port":            {forwardedFor, "10.0.0.1:5", []string{"192.0.2.1:443"}, "192.0.2.1"},
		"IPv6":                   {forwardedFor, "[fd00::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":       {forwardedFor, "10.0.0.1:5", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		"IPv6 with a zone":       {forwardedFor, "10.0.0.1:5", []string{"fe80::1%eth0"}, "10.0.0.1"},
		"IPv4 in brackets":       {forwardedFor, "10.0.0.1:5", []string{"[192.0.2.1]"}, "10.0.0.1"},
		"mapped":                 {forwardedFor, "[::ffff:10.0.0.1]:5", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"another field":          {"X-Real-Ip", "10.0.0.1:5", []string{"192.0.2.1"}, "10.0.0.1"},
		"a standard one":         {"Forwarded", "10.0.0.1:5", []string{"for=192.0.2.1"}, "10.0.0.1"},
		"no peer":                {forwardedFor, "@", []string{"192.0.2.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{c.field: c.lines}}
		if got := trusted.client(r); got.String() != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestLongChainsEnd(t *testing.T) {
	r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{}}
	for range 100 {
		r.Header.Add(forwardedFor, "10.0.0.1")
	}
	r.Header[forwardedFor][0] = "192.0.2.1"
	if got := prefixes("10.0.0.0/8").client(r); got.String() != "10.0.0.1" {
		t.Error(got)
	}
}

func TestWhatCountsAsOneClient(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "64:ff9b::192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2:ffff::1": "2001:db8:1:2::", "2001:db8:1:3::": "2001:db8:1:3::",
	} {
		if got := block(netip.MustParseAddr(in)); got.String() != want {
			t.Errorf("%s: %v, want %s", in, got, want)
		}
	}
	if block(netip.Addr{}).IsValid() {
		t.Error("no address is some address")
	}
}

// Whatever a client sends through one proxy, which appends its address, and
// whatever it sends without one: its address is its own, or the proxy's.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"", "198.51.100.9", ",", "10.0.0.9", "[::1]:1", "\t;="} {
		f.Add(s)
	}
	trusted := prefixes("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, sent string) {
		const own = "192.0.2.1"
		direct := &http.Request{RemoteAddr: "192.0.2.1:5", Header: http.Header{forwardedFor: {sent}}}
		if got := trusted.client(direct); got.String() != own {
			t.Errorf("without a proxy, %q makes %v", sent, got)
		}
		for _, lines := range [][]string{{sent, own}, {sent + ", " + own}} {
			r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{forwardedFor: lines}}
			if got := trusted.client(r); got.String() != own {
				t.Errorf("%q makes %v", sent, got)
			}
		}
	})
}
