package token

import (
	"bytes"
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
	b = append(b, `,"sid":"`...)
	b = append(c.SessionID.Append(b), '"')
	number(`,"gen":`, int64(c.Generation))
	number(`,"iat":`, c.IssuedAt.Unix())
	number(`,"exp":`, c.ExpiresAt.Unix())
	number(`,"auth_time":`, c.AuthTime.Unix())
	b = append(b, `,"scope":"`...)
	for i, s := range c.Scope {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, s...)
	}
	b = append(b, '"')
	text(`,"typ":`, c.Type)
	return append(b, '}')
}

// readClaims reads exactly what appendJSON writes. We mint every token
// ourselves, so a payload with an unknown, repeated, missing, moved or
// otherwise spelt claim is not ours, whatever a JSON parser would make of it.
// Whether a token may carry them is valid's to say.
func readClaims(b []byte) (c Claims, ok bool) {
	r := reader{payload: b}
	h := r.head(&c)
	c.AuthTime = time.Unix(r.number(`,"auth_time":`, maxUnix), 0).UTC()
	scope := r.text(`,"scope":"`)
	kind := r.text(`,"typ":"`)
	r.skip("}")
	if r.failed || r.at != len(b) {
		return Claims{}, false
	}
	c.Issuer, c.Subject, c.Type = string(h.issuer), string(h.subject), string(kind)
	if len(scope) > 0 {
		c.Scope = strings.Split(string(scope), " ")
	}
	return c, true
}

// head are the first two texts of a payload.
type head struct{ issuer, subject []byte }

// head reads what stands first, up to the end: session, generation and times
// into the claims.
func (r *reader) head(c *Claims) (h head) {
	h.issuer = r.text(`{"iss":"`)
	h.subject = r.text(`,"sub":"`)
	id, err := parseID(r.text(`,"sid":"`))
	c.SessionID = id
	c.Generation = uint32(r.number(`,"gen":`, math.MaxUint32))
	c.IssuedAt = time.Unix(r.number(`,"iat":`, maxUnix), 0).UTC()
	c.ExpiresAt = time.Unix(r.number(`,"exp":`, maxUnix), 0).UTC()
	r.failed = r.failed || err != nil
	return h
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
// anything fails, failed stays set and the rest is of no meaning. It counts, and
// cuts nothing off, so that a payload may stand on its caller's stack.
type reader struct {
	payload []byte
	at      int
	failed  bool
}

// text reads a name, its opening quote included, and a text up to its closing
// quote. It need not know escapes: IsWord refuses the backslash.
func (r *reader) text(name string) []byte {
	r.skip(name)
	rest := r.payload[r.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		r.failed = true
		return nil
	}
	r.at += end + 1
	return rest[:end]
}

// number reads a name and a decimal without sign or leading zero, up to most.
func (r *reader) number(name string, most int64) int64 {
	r.skip(name)
	s := r.payload[r.at:]
	var n int64
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9' && n <= most; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	if i == 0 || i > 1 && s[0] == '0' || n > most {
		r.failed = true
	}
	r.at += i
	return n
}

// skip reads what must stand next.
func (r *reader) skip(name string) {
	if rest := r.payload[r.at:]; len(rest) < len(name) || string(rest[:len(name)]) != name {
		r.failed = true
		return
	}
	r.at += len(name)
}
