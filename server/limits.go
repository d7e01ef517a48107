package server

import (
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/mentalverse/session/events"
	"github.com/mentalverse/session/httpapi"
	"github.com/mentalverse/session/token"
)

// LimitSettings are the rates of the public listener, and what bounds its load.
type LimitSettings struct {
	Enabled               *bool    `yaml:"enabled"` // nil: on, unless dev
	AddressPerMinute      int      `yaml:"address_per_minute"`
	SessionPerMinute      int      `yaml:"session_per_minute"`
	ProfessionalPerMinute int      `yaml:"professional_per_minute"`
	PseudonymPerMinute    int      `yaml:"pseudonym_per_minute"`
	InService             int      `yaml:"in_service"`
	Sockets               int      `yaml:"sockets"`
	SocketsPerSession     int      `yaml:"sockets_per_session"`
	SocketsPerAddress     int      `yaml:"sockets_per_address"`
	Proxies               []string `yaml:"proxies"`
}

// maxRate keeps a rate's arithmetic whole.
const maxRate = 1_000_000

// check tells the first setting that makes no sense, by its name.
func (l *LimitSettings) check() error {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"address_per_minute", l.AddressPerMinute}, {"session_per_minute", l.SessionPerMinute},
		{"professional_per_minute", l.ProfessionalPerMinute}, {"pseudonym_per_minute", l.PseudonymPerMinute}, {"in_service", l.InService},
		{"sockets", l.Sockets}, {"sockets_per_session", l.SocketsPerSession}, {"sockets_per_address", l.SocketsPerAddress},
	} {
		if n.value < 1 || n.value > maxRate {
			return fmt.Errorf("limits.%s: %d is not between 1 and %d", n.name, n.value, maxRate)
		}
	}
	_, err := l.proxies()
	return err
}

// proxies reads the prefixes. One that holds every address is refused: with it
// any client could choose its own.
func (l *LimitSettings) proxies() (out []netip.Prefix, err error) {
	for _, s := range l.Proxies {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil:
			return nil, fmt.Errorf("limits.proxies: %q is not a prefix such as 10.0.0.0/8 or 192.0.2.7/32", s)
		case p.Addr().Is4In6():
			return nil, fmt.Errorf("limits.proxies: write %q as an IPv4 prefix", s)
		case p.Bits() == 0:
			return nil, fmt.Errorf("limits.proxies: %q would believe everyone", s)
		case p.Masked() != p:
			return nil, fmt.Errorf("limits.proxies: %q has bits beyond its length; did you mean %s?", s, p.Masked())
		}
		out = append(out, p)
	}
	return out, nil
}

// limits are the rates to serve with, nil for none.
func (c *Config) limits() *httpapi.Limits {
	l := &c.Limits
	on := !c.Dev
	if l.Enabled != nil {
		on = *l.Enabled
	}
	if !on {
		return nil
	}
	proxies, _ := l.proxies() // checked before
	return &httpapi.Limits{
		Address: l.AddressPerMinute, Session: l.SessionPerMinute, Professional: l.ProfessionalPerMinute,
		Pseudonym: l.PseudonymPerMinute, Proxies: proxies, Now: c.Now,
	}
}

// sockets are told what a hub tells. The bounds of all and of a session hold in
// dev, too; addresses are counted where rates are.
func (c *Config) sockets(hub *events.Hub, log *slog.Logger) *httpapi.Sockets {
	return httpapi.NewSockets(httpapi.SocketOptions{
		Subscribe: func(id token.ID) httpapi.Subscription { return hub.Subscribe(id) },
		Most:      c.Limits.Sockets, PerSession: c.Limits.SocketsPerSession, PerAddress: c.Limits.SocketsPerAddress, Log: log,
	})
}

// chaos fails calls on purpose; Check allows it in development only.
func (c *Config) chaos() *httpapi.Chaos {
	if !c.Chaos {
		return nil
	}
	return &httpapi.Chaos{Roll: c.Roll}
}
