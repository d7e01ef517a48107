package token

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Claims is what a session token says. Times are whole seconds of UTC; Sign
// cuts fractions off.
type Claims struct {
	Issuer     string    // iss: the service's name or URL
	Subject    string    // sub
	SessionID  ID        // sid
	Generation uint32    // gen
	IssuedAt   time.Time // iat
	ExpiresAt  time.Time // exp: the first second at which the token is dead
	AuthTime   time.Time // auth_time
	Scope      []string  // scope: space-delimited in the token (RFC 8693 section 4.2)
	Type       string    // typ: the session's type
}

// ErrClaims tells of claims that no token can carry.
var ErrClaims = errors.New("token: claims cannot be signed")

// maxUnix is the last second of the year 9999, the last RFC 3339 can write.
const maxUnix = 253402300799

// appendJSON appends the claims in their one spelling: all nine, in this order,
// without white space or escapes. No text may need an escape (IsWord), which
// readClaims relies on too.
func (c *Claims) appendJSON(b []byte) []byte {
	text := func(name, value string) {
		b = append(b, name...)
		b = append(b, '"')
		b = append(b, value...)
		b = append(b, '"')
	}
	number := func(name string, value int64) {
		b = append(b, name...)
		b = strconv.AppendInt(b, value, 10)
	}
	text(`{"iss":`, c.Issuer)
	text(`,"sub":`, c.Subject)
	text(`,"sid":`, c.SessionID.String())
	number(`,"gen":`, int64(c.Generation))
	number(`,"iat":`, c.IssuedAt.Unix())
	number(`,"exp":`, c.ExpiresAt.Unix())
	number(`,"auth_time":`, c.AuthTime.Unix())
	text(`,"scope":`, strings.Join(c.Scope, " "))
	text(`,"typ":`, c.Type)
	return append(b, '}')
}

// readClaims reads exactly what appendJSON writes. We mint every token
// ourselves, so a payload with an unknown, repeated, missing, moved or
// otherwise spelt claim is not ours, whatever a JSON parser would make of it.
// Whether a token may carry them is valid's to say.
func readClaims(s string) (c Claims, ok bool) {
	r := reader{rest: s}
	c.Issuer = r.text(`{"iss":"`)
	c.Subject = r.text(`,"sub":"`)
	sid := r.text(`,"sid":"`)
	generation := r.number(`,"gen":`, math.MaxUint32)
	c.IssuedAt = time.Unix(r.number(`,"iat":`, maxUnix), 0).UTC()
	c.ExpiresAt = time.Unix(r.number(`,"exp":`, maxUnix), 0).UTC()
	c.AuthTime = time.Unix(r.number(`,"auth_time":`, maxUnix), 0).UTC()
	if scope := r.text(`,"scope":"`); scope != "" {
		c.Scope = strings.Split(scope, " ")
	}
	c.Type = r.text(`,"typ":"`)
	c.Generation = uint32(generation)
	id, err := ParseID(sid)
	if r.failed || r.rest != "}" || err != nil {
		return Claims{}, false
	}
	c.SessionID = id
	return c, true
}

// valid tells whether a token may carry the claims. Sign and Verify both ask,
// so that nothing is signed that would not verify.
func (c *Claims) valid() bool {
	if !IsWord(c.Issuer) || !IsWord(c.Subject) || !IsWord(c.Type) {
		return false
	}
	for _, s := range c.Scope {
		if !IsWord(s) {
			return false
		}
	}
	for _, t := range [...]time.Time{c.IssuedAt, c.ExpiresAt, c.AuthTime} {
		if u := t.Unix(); u < 0 || u > maxUnix {
			return false
		}
	}
	_, err := IDFromBytes(c.SessionID[:])
	return err == nil && c.ExpiresAt.Unix() > c.IssuedAt.Unix()
}

// IsWord tells whether s can stand in a session token as issuer, subject, type or
// one of its scopes: a scope-token of RFC 6749 section 3.3, which is one or more
// visible ASCII characters, none of them a quote or a backslash. So it stands
// in JSON as it is, and in a list delimited by spaces.
func IsWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// reader takes one member after another off the front of a payload. Once
// anything fails, failed stays set and the rest is of no meaning.
type reader struct {
	rest   string
	failed bool
}

// text reads a name, its opening quote included, and a text up to its closing
// quote. It need not know escapes: IsWord refuses the backslash.
func (r *reader) text(name string) string {
	value, rest, closed := strings.Cut(r.after(name), `"`)
	r.rest, r.failed = rest, r.failed || !closed
	return value
}

// number reads a name and a decimal without sign or leading zero, up to most.
func (r *reader) number(name string, most int64) int64 {
	s := r.after(name)
	var n int64
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9' && n <= most; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	if i == 0 || i > 1 && s[0] == '0' || n > most {
		r.failed = true
	}
	r.rest = s[i:]
	return n
}

func (r *reader) after(name string) string {
	rest, found := strings.CutPrefix(r.rest, name)
	r.failed = r.failed || !found
	return rest
}
