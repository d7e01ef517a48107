package session

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/mentalverse/session/token"
)

// Channel is how a session's secrets travel. One issued for a channel is not
// accepted in another: a cookie that leaked into a script, or a token planted
// as a cookie, opens nothing.
type Channel string

// The channels.
const (
	Header Channel = "header" // Authorization and the body
	Cookie Channel = "cookie" // out of reach of scripts
)

// Secret is a session token or a refresh token, and the channel it came by.
// Printed by fmt, slog or an encoder it shows nothing.
type Secret struct {
	channel Channel
	text    string
	read    *reading       // of a session token that was recognised
	opened  *token.Refresh // of a refresh token whose name was read
}

// reading is what a session token was found to be. Of its claims only the
// session, the generation and the times are told.
type reading struct {
	claims token.Claims
	err    error // not genuine
}

// NewSecret returns the secret that came by a channel; text may be empty.
func NewSecret(c Channel, text string) Secret { return Secret{channel: c, text: text} }

// Reveal returns the secret's text, for the one who holds it.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// String hides the secret.
func (Secret) String() string { return "[secret]" }

// Format hides the secret from every verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, "[secret]") }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
