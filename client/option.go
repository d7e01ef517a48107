package client

import (
	"log/slog"
	"net/http"
	"slices"
)

// Option changes what New makes.
type Option func(*settings)

type settings struct {
	transport http.RoundTripper
	log       *slog.Logger
	entries   int
	blind     Blindness
	sensitive []string
	plain     bool
}

// defaultEntries are the sessions that a client remembers if nothing else is said.
const defaultEntries = 100_000

func defaults() settings {
	return settings{
		log:       slog.Default(),
		entries:   defaultEntries,
		sensitive: []string{"manage:sessions", "read:all_profiles", "write:therapy_notes"},
	}
}

// Transport carries the client's calls instead of a transport of its own, which is
// net/http's default with pings on HTTP/2. Redirects are refused either way. Close
// leaves it alone.
func Transport(t http.RoundTripper) Option { return func(s *settings) { s.transport = t } }

// Logger takes what an operator must know, instead of slog's default. It never sees
// a token, a key or an id.
func Logger(l *slog.Logger) Option { return func(s *settings) { s.log = l } }

// CacheEntries bounds the sessions that are remembered, 100,000 by default. Each
// takes about a kilobyte. The least used go first, and are asked about again.
func CacheEntries(n int) Option { return func(s *settings) { s.entries = max(n, 1) } }

// Blindness says what a client does that does not hear the feed.
type Blindness int

// FailClosed refuses every session as unavailable; it is the default. AskRemotely
// asks the session service about every token: slower, and just as true. Where that
// does not answer either, the session is unavailable too.
const (
	FailClosed Blindness = iota
	AskRemotely
)

// WhenBlind says what to do when the feed was not heard for five seconds.
func WhenBlind(b Blindness) Option { return func(s *settings) { s.blind = b } }

// Sensitive names the permissions whose use needs an authentication of the last 15
// minutes, instead of those of the session service's own policy: manage:sessions,
// read:all_profiles and write:therapy_notes.
func Sensitive(permissions ...string) Option {
	return func(s *settings) { s.sensitive = slices.Clone(permissions) }
}

// PlainHTTP allows a session service at http:// on another machine. The key and the
// tokens are then readable by whoever sees the network, unless something else
// encrypts it.
func PlainHTTP() Option { return func(s *settings) { s.plain = true } }
