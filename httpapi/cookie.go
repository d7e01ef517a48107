package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// The cookies of a session. Their names tell nothing; the prefix makes browsers
// insist on Secure, Path=/ and no Domain, so that no sibling host can plant one
// (RFC 6265bis section 4.1.3.2). They last as long as the browser runs.
const (
	sessionCookie = "__Host-s"
	refreshCookie = "__Host-r"
)

// maxCookies bounds the cookies of a request. Browsers keep at least 50 a host
// (RFC 6265 section 6.1), and a host of ours sets two.
const maxCookies = 50

func newCookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// dropCookies makes the browser forget the session, and what pages kept of it.
func dropCookies(h http.Header) {
	for _, name := range []string{sessionCookie, refreshCookie} {
		c := newCookie(name, "")
		c.MaxAge = -1
		h.Add("Set-Cookie", c.String())
	}
	h.Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
}

// cookies are the secrets that a browser attached.
type cookies struct{ session, refresh session.Secret }

func (c cookies) any() bool { return !c.session.IsZero() || !c.refresh.IsZero() }

// readCookies reads our cookies from the raw fields. It does not use the
// standard library's reading, which forgives: what differs from the one way a
// browser sends them is refused, so that no two readers of a request can see
// different sessions in it (quotes, $Version, repeated names, odd spaces).
func readCookies(r *http.Request) (c cookies, err error) {
	n := 0
	for _, line := range r.Header["Cookie"] {
		if n += strings.Count(line, ";") + 1; n > maxCookies {
			return cookies{}, manyCookies
		}
		for part := range strings.SplitSeq(line, ";") {
			part = strings.TrimPrefix(part, " ")
			name, value, _ := strings.Cut(part, "=")
			if strings.HasPrefix(strings.TrimSpace(name), "$") {
				return cookies{}, oddCookies
			}
			var to *session.Secret
			switch name {
			case sessionCookie:
				to = &c.session
			case refreshCookie:
				to = &c.refresh
			default:
				if looksOurs(name) {
					return cookies{}, oddCookies
				}
				continue
			}
			if !to.IsZero() || value == "" || strings.ContainsAny(value, "\" \t=,\\") {
				return cookies{}, oddCookies
			}
			*to = session.NewSecret(session.Cookie, value)
		}
	}
	return c, nil
}

var oddCookies = refuse(http.StatusBadRequest, api.InvalidRequest, "The session's cookies are repeated or malformed.")

var manyCookies = refuse(http.StatusBadRequest, api.InvalidRequest, "More than 50 cookies came with this request. Delete this site's cookies and sign in again.")

// looksOurs reports whether a lenient reader might take the name for one of
// ours: other case, other spaces, control characters around it.
func looksOurs(name string) bool {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u200b' || r == '\ufeff' {
			return -1
		}
		return r
	}, name)
	return strings.EqualFold(bare, sessionCookie) || strings.EqualFold(bare, refreshCookie)
}

// proof is the value a page must send in Session-CSRF beside the cookies: bound
// to the session's id, so it stays the same across refreshes, and made with a
// key of ours, so it can be known only from an answer to this browser.
func (p *public) proof(id token.ID) string {
	mac := hmac.New(sha256.New, p.csrf[:])
	mac.Write(id[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// checkProof holds Session-CSRF against the session that the cookies name.
// Cookies that name none of ours open nothing, and need no proof.
func (p *public) checkProof(r *http.Request, c cookies) error {
	_, id, ok := p.service.Recognise(c.session)
	if _, other, also := p.service.NamesRefresh(c.refresh); also {
		if ok && other != id {
			return oddCookies
		}
		id, ok = other, true
	}
	if !ok {
		return nil
	}
	values := r.Header.Values("Session-CSRF")
	if len(values) != 1 || !hmac.Equal([]byte(values[0]), []byte(p.proof(id))) {
		return refuse(http.StatusForbidden, api.OriginDenied, "Send the session's csrf_token in Session-CSRF.")
	}
	return nil
}
