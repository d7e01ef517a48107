package server_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/mentalverse/session/api"
)

// hostile draws requests that are wrong in at least one way. What it knows of
// genuine secrets it uses only where they must not count.
type hostile struct {
	rng        *rand.Rand
	token      string // a genuine session token of the header channel
	refresh    string // and its refresh token
	credential string // a genuine credential that is used up
}

// shot is one request of the grammar.
type shot struct {
	method   string
	raw      []byte
	harmless bool // a route that answers strangers 2xx and changes nothing
	last     bool // its framing is broken: nothing may follow on the connection
	foreign  bool // in a version or transfer coding that net/http answers 505 and 501
}

var hostileRoutes = []struct {
	method, path string
	fields       []string
	harmless     bool
}{
	{"POST", "/api/auth/challenge", []string{"purpose", "session_type", "chain", "address"}, true},
	{"POST", "/api/auth/sessions", []string{"credential", "session_type", "duration", "permissions", "transport", "activity", "device_label"}, false},
	{"GET", "/api/auth/sessions", nil, false},
	{"DELETE", "/api/auth/sessions", nil, false},
	{"GET", "/api/auth/sessions/validate", nil, false},
	{"POST", "/api/auth/sessions/refresh", []string{"refresh_token"}, false},
	{"POST", "/api/auth/sessions/logout", []string{"refresh_token"}, true},
	{"POST", "/api/auth/sessions/activity", []string{"x"}, false},
	{"POST", "/api/auth/sessions/reauthenticate", []string{"credential"}, false},
	{"GET", "/api/auth/sessions/current", nil, false},
	{"PATCH", "/api/auth/sessions/current", []string{"permissions", "device_label"}, false},
	{"DELETE", "/api/auth/sessions/sess_0", nil, false},
	{"GET", "/api/auth/anonymous/group", nil, true},
	{"GET", "/api/auth/anonymous/pages/7", nil, false},
	{"GET", "/api/auth/anonymous/roots", nil, true},
	{"GET", "/api/auth/anonymous/artifacts/00", nil, false},
	{"POST", "/api/auth/anonymous/members", []string{"commitment", "challenge", "proof"}, false},
	{"DELETE", "/api/auth/anonymous/members", nil, false},
	{"GET", "/.well-known/jwks.json", nil, true},
	{"GET", "/openapi.yaml", nil, true},
	{"GET", "/healthz", nil, true},
	{"GET", "/readyz", nil, true},
	{"GET", "/signin", nil, true},
}

func (h *hostile) one(of ...string) string { return of[h.rng.IntN(len(of))] }

// in reports true once in n times.
func (h *hostile) in(n int) bool { return h.rng.IntN(n) == 0 }

// draw makes the next request.
func (h *hostile) draw() shot {
	rt := hostileRoutes[h.rng.IntN(len(hostileRoutes))]
	s := shot{method: rt.method, harmless: rt.harmless}
	target, version := rt.path, "HTTP/1.1"
	if h.in(10) {
		s.method = h.one("PUT", "TRACE", "OPTIONS", "HEAD", "PROPFIND", "get", "Post", "PRI", "M-SEARCH", "DELETE", "PATCH", strings.Repeat("A", 300))
	}
	if h.in(40) {
		s.method, s.last = h.one("", " ", "GE T", "G\x00T", "POST\t", "GÉT", "(", "CONNECT", "GET\r", strings.Repeat("A", 30000)), true
	}
	if h.in(7) {
		target, s.harmless = h.path(target), false
	}
	if h.in(9) {
		target, s.harmless = target+"?"+h.query(), false
	}
	if h.in(40) {
		version, s.last, s.foreign = h.one("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP/1.10", "http/1.1", "", "HTTP/1.1 x", "FTP/1.1", "HTTP/1.", "HTTP/-1.1"), true, true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", s.method, target, version)
	h.host(&b, &s)
	h.secrets(&b)
	h.fields(&b, &s)
	h.body(&b, &s, rt.fields)
	s.raw = []byte(b.String())
	if strings.Contains(b.String(), h.token) || strings.Contains(b.String(), h.refresh) {
		return s // damage could put it where it counts
	}
	if h.in(60) && len(s.raw) > 8 { // cut off anywhere
		s.raw, s.last = s.raw[:h.rng.IntN(len(s.raw))], true
	}
	if h.in(60) && len(s.raw) > 8 { // or with noise in it
		s.last, s.foreign = true, true
		for range 1 + h.rng.IntN(8) {
			s.raw[h.rng.IntN(len(s.raw))] = byte(h.rng.Uint32())
		}
	}
	return s
}

func (h *hostile) path(p string) string {
	switch h.rng.IntN(14) {
	case 0:
		return "/" + p
	case 1:
		i := strings.LastIndexByte(p, '/')
		return p[:i] + h.one("//", "/./", "/../", "/%2e/", "/%2e%2e/", "%2f", "%2F", "\\", "/;/", "%5c", "/..;/") + p[i+1:]
	case 2:
		return p + ";" + h.one("sid=", "jsessionid=", "token=") + h.token
	case 3:
		return p + h.one("/", "/x.css", ".json", ";.js", "%00", "%20", ".", "/..", "/%2e%2e", "%2e", "%0d%0aX:y", "//", "/../../../etc/passwd")
	case 4:
		return "http://evil.example" + p
	case 5:
		return strings.ToUpper(p)
	case 6:
		return "*"
	case 7:
		return strings.TrimPrefix(p, "/")
	case 8:
		return "/" + strings.Repeat(h.one("a", "/", "%61", "../", "é"), 1+h.rng.IntN(3000))
	case 9:
		return "%2f" + p[1:]
	case 10:
		return h.one("/metrics", "/debug/pprof/", "/admin", "/.env", "/.git/config", "/operator/v1/sessions", "/api/auth", "/API/auth/sessions")
	case 11:
		return "/api/auth/sessions/" + h.one(h.token, h.refresh, "sess_"+strings.Repeat("0", 42), "anon_x", "..%2fcurrent", "null", "-1")
	case 12:
		return p + "%" + h.one("", "z", "zz", "1", "ff", "c0%af", "u0041")
	}
	return "///" + p + "///"
}

func (h *hostile) query() string {
	switch h.rng.IntN(10) {
	case 0:
		return h.one("token", "access_token", "session_token", "refresh_token", "sid", "credential") + "=" + h.one(h.token, h.refresh, h.credential)
	case 1:
		return h.one("%zz", "a=%", ";", "a;b", "=", "%00=x", "a=b;c=d", "%", "permission[]=x", "__proto__=1")
	case 2:
		return strings.Repeat(h.one("permission=x&", "a&", "max_age=1&", "%61=&"), 1+h.rng.IntN(900))
	case 3:
		return "max_age=" + h.one("-1", "1e9", "99999999999999999999", "0x10", " 1", "١", "1&max_age=2", "")
	case 4:
		return "include=" + h.one("all", "current&include=current", "Current", "")
	case 5:
		return "permission=" + h.one("%ff%fe", "read%3Aprofile%00", "*", "", "read:profile,write:messages", "'%20or%201=1--")
	}
	return h.one("_method=DELETE", "callback=x", "cb="+strings.Repeat("x", 200), "x=1", "redirect=https://evil.example")
}

func (h *hostile) host(b *strings.Builder, s *shot) {
	if !h.in(15) {
		b.WriteString("Host: sessions.example.org\r\n")
		return
	}
	switch h.rng.IntN(4) {
	case 0:
		s.last = true // none at all is a framing error of HTTP/1.1
	case 1:
		s.last = true
		b.WriteString("Host: sessions.example.org\r\nHost: evil.example\r\n")
	case 2:
		b.WriteString("Host: " + h.one("evil.example", "localhost", "sessions.example.org.evil.example", "sessions.example.org:1", "127.0.0.1.evil.example", "[::1", "a.b.c") + "\r\n")
	case 3:
		s.last = true
		b.WriteString("Host: " + h.one("a b", "\x00", "evil.example/sessions.example.org", "é", strings.Repeat("a.", 3000), "user@sessions.example.org") + "\r\n")
	}
}

// jwt is a session token that no key of the server made.
func (h *hostile) jwt() string {
	enc := base64.RawURLEncoding.EncodeToString
	parts := strings.Split(h.token, ".")
	switch h.rng.IntN(9) {
	case 0:
		return enc([]byte(`{"alg":"`+h.one("none", "None", "NONE", "nOnE", "HS256", "RS256", "ES256", "PS256", "EdDSA", "")+`","typ":"session+jwt","kid":"`+h.one("x", "../../etc/passwd", "' or 1=1--", "http://evil.example/k", strings.Repeat("k", 900))+`"}`)) + "." + parts[1] + "." + h.one("", parts[2])
	case 1:
		return h.token[:h.rng.IntN(len(h.token))]
	case 2:
		return h.flip(h.token)
	case 3:
		return strings.Repeat(".", 1+h.rng.IntN(6000))
	case 4:
		return h.token + h.one(".", "A", "=", "."+parts[2], "%00", "~")
	case 5:
		return parts[0] + "." + enc([]byte(`{"iss":"https://sessions.example.org","sub":"user_x","sid":"sess_0","gen":`+h.one("1", "-1", "1e9", "4294967296", `"1"`)+`,"exp":9999999999}`)) + "." + parts[2]
	case 6:
		return parts[2] + "." + parts[1] + "." + parts[0]
	case 7:
		return h.one(h.refresh, "null", "undefined", "sess_"+strings.Repeat("0", 42), "Bearer", "{}", "eyJ", "-", h.credential)
	}
	return enc([]byte(`{"jwk":{"kty":"oct","k":"AA"},"alg":"HS256","crit":["x"],"zip":"DEF","x5u":"http://evil.example","b64":false}`)) + "." + parts[1] + "." + parts[2]
}

// flip changes one character into another of the same alphabet.
func (h *hostile) flip(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := h.rng.IntN(len(s))
	if s[i] == '.' {
		return s[:i] + s[i+1:]
	}
	c := alphabet[h.rng.IntN(len(alphabet))]
	for c == s[i] {
		c = alphabet[h.rng.IntN(len(alphabet))]
	}
	return s[:i] + string(c) + s[i+1:]
}

// shown stands where a refresh token or a credential is wanted, and is none.
func (h *hostile) shown() string {
	switch h.rng.IntN(9) {
	case 0, 1:
		return h.flip(h.refresh)
	case 2:
		return h.refresh[:h.rng.IntN(len(h.refresh))]
	case 3:
		return h.one("rt_", "rt_"+strings.Repeat("A", 99), "RT_"+h.refresh[3:], h.refresh+"=", " "+h.refresh, h.refresh+"\\u0000", h.token, strings.Repeat("rt_", 2000))
	case 4:
		return h.credential
	case 5:
		return h.flip(h.credential)
	case 6:
		return h.credential[:h.rng.IntN(len(h.credential))]
	case 7:
		return base64.RawURLEncoding.EncodeToString([]byte(h.json(nil)))
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"v":%s,"type":"%s","message":"%s","signature":"%s","publicKey":"%s","delegations":[%s]}`,
		h.one("1", "2", `"1"`, "1.5", "-1"), h.one("icp:icrc32", "eip191", "solana:ed25519", "semaphore:v4", ""), h.one("", "x", strings.Repeat("m", 3000), `\ud800`),
		h.one("", "AA", "!!", strings.Repeat("A", 86)), h.one("", "MCow", strings.Repeat("A", 4000)), h.one("", "{}", strings.Repeat("{},", 99)+"{}", `{"delegation":{"pubkey":"","expiration":"-1"},"signature":""}`)))
}

func (h *hostile) secrets(b *strings.Builder) {
	if !h.in(3) {
		switch h.rng.IntN(12) {
		case 0:
			fmt.Fprintf(b, "Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n", h.token, h.token)
		case 1:
			fmt.Fprintf(b, "Authorization: %s%s\r\n", h.one("Basic ", "bearer  ", "Bearer\t", "Token ", "Bearer", "Bearer: ", `Bearer "`, "Digest ", ""), h.token)
		case 2:
			fmt.Fprintf(b, "Authorization: Bearer %s\r\n", h.one(h.token+","+h.token, h.token+" "+h.token, "", ",", h.flip(h.credential)))
		default:
			fmt.Fprintf(b, "Authorization: Bearer %s\r\n", h.jwt())
		}
	}
	if h.in(6) {
		h.cookie(b)
	}
	if h.in(6) {
		fmt.Fprintf(b, "Session-CSRF: %s\r\n", h.one("", "null", strings.Repeat("A", 43), "x\r\nSession-CSRF: x"))
	}
}

// cookie never comes alone with a genuine secret: the genuine ones here are of
// the other channel.
func (h *hostile) cookie(b *strings.Builder) {
	switch h.rng.IntN(8) {
	case 0:
		fmt.Fprintf(b, "Cookie: %s\r\n", strings.Repeat(h.one("a=b; ", "a;", ";", "__Host-s=; ", "=; "), 1+h.rng.IntN(3000)))
	case 1:
		b.WriteString("Cookie:")
		for i := range 1 + h.rng.IntN(900) {
			fmt.Fprintf(b, " c%d=%d;", i, i)
		}
		b.WriteString("\r\n")
	case 2:
		b.WriteString(strings.Repeat("Cookie: a=b\r\n", 1+h.rng.IntN(300)))
	case 3:
		fmt.Fprintf(b, "Cookie: __Host-s=%s; __Host-s=%s\r\n", h.token, h.one(h.token, "x", ""))
	case 4:
		fmt.Fprintf(b, "Cookie: %s__Host-s%s=%s\r\n", h.one("", " ", "\t", "$Version=1; ", "x,", "\xa0", "\u200b"), h.one("", " ", "%3D", "\u3000", "\t"), h.one(h.token, `"`+h.token+`"`, h.jwt()))
	case 5:
		fmt.Fprintf(b, "Cookie: %s=%s\r\n", h.one("__HOST-S", "__host-s", "__Secure-s", "s", "__Host-r", "__Host-s"), h.one(h.token, h.refresh))
	case 6:
		fmt.Fprintf(b, "Cookie: __Host-s=%s; __Host-r=%s\r\n", h.jwt(), h.shown())
	case 7:
		fmt.Fprintf(b, "Cookie: %s\r\n", h.one(`x="y; __Host-s=`, "\xff\xfe", "__Host-s", "=__Host-s", strings.Repeat("x", 5000), "a=b\r\n Cookie: c=d"))
	}
}

func (h *hostile) fields(b *strings.Builder, s *shot) {
	if h.in(4) {
		fmt.Fprintf(b, "Origin: %s\r\n", h.one("https://evil.example", "null", "https://sessions.example.org.evil.example", "https://sessions.example.org", "", "file://", "https://a\r\nOrigin: https://b"))
		fmt.Fprintf(b, "Sec-Fetch-Site: %s\r\n", h.one("cross-site", "same-site", "same-origin", "none", "", "x"))
	}
	if s.method == "OPTIONS" && h.in(2) {
		b.WriteString("Access-Control-Request-Method: DELETE\r\n")
		s.harmless = true // a preflight of the own origin
	}
	if !h.in(12) {
		return
	}
	switch h.rng.IntN(6) {
	case 0:
		s.last = true
		b.WriteString(h.one("Na me: x", ": x", "X\x00: y", " folded: x", "X-A\r: y", "no colon", "X : y", "X: a\x00b", "\x7f: y", "X: y\n: z", "X-\xff: y", "X: \x1b[31m") + "\r\n")
	case 1:
		s.last = true
		fmt.Fprintf(b, "X: %s\r\n", strings.Repeat("x", 10<<10+h.rng.IntN(50<<10)))
	case 2:
		b.WriteString(strings.Repeat("X: y\r\n", 1+h.rng.IntN(900)))
	case 3:
		fmt.Fprintf(b, "Expect: %s\r\n", h.one("200-ok", "100-Continue", "100-continue, x"))
		s.last = true
	case 4:
		b.WriteString(h.one("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n", "Connection: close, Authorization\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Range: bytes=0-1,1-2,2-3\r\n", "X-HTTP-Method-Override: DELETE\r\n", "X-Original-URL: /healthz\r\n", "X-Forwarded-For: "+strings.Repeat("1.1.1.1,", 500)+"\r\n", "Accept-Encoding: "+strings.Repeat("gzip,", 900)+"\r\n"))
		s.last = true
	case 5:
		b.WriteString("Trailer: Authorization, Content-Length\r\nTE: trailers\r\n")
		s.last = true
	}
}

// body ends the fields and writes the body, rightly counted more often than not.
func (h *hostile) body(b *strings.Builder, s *shot, fields []string) {
	if fields == nil && !h.in(4) {
		b.WriteString("\r\n")
		return
	}
	body := h.json(fields)
	if !h.in(8) {
		b.WriteString("Content-Type: application/json\r\n")
	} else {
		fmt.Fprintf(b, "Content-Type: %s\r\n", h.one("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/json\r\nContent-Type: text/html", "multipart/form-data; boundary=x", ";;;", "application/json;", strings.Repeat("a/", 900)))
	}
	if !h.in(12) {
		fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
		return
	}
	s.last = true
	smuggled := "GET /api/auth/sessions/validate HTTP/1.1\r\nHost: sessions.example.org\r\n\r\n"
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	switch h.rng.IntN(8) {
	case 0:
		fmt.Fprintf(b, "Content-Length: %s\r\n\r\n%s", h.one("-1", "+5", "5, 5", "18446744073709551616", "0x10", "", "1e3", " 5", "5 ", "00", "9999999999", "5;x"), body)
	case 1:
		fmt.Fprintf(b, "Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s", len(body), h.rng.IntN(100), body)
	case 2: // CL.TE and TE.CL
		fmt.Fprintf(b, "Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%s%s", h.rng.IntN(len(chunks)+1), chunks, smuggled)
	case 3: // TE.TE
		s.foreign = true
		fmt.Fprintf(b, "Transfer-Encoding: %s\r\n\r\n%s%s", h.one("xchunked", "chunked, identity", "gzip, chunked", "identity", "chunked\x0b", "\tchunked", "chunKed", "chunked\r\nTransfer-Encoding: x", `"chunked"`, "chunked;q=1"), chunks, smuggled)
	case 4:
		fmt.Fprintf(b, "Transfer-Encoding: chunked\r\n\r\n%s\r\n%s\r\n", h.one("-1", "ffffffffffffffff", "1;"+strings.Repeat("x", 9000), "zz", "", "5\n", "0x5", " 5"), body)
	case 5:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", h.rng.IntN(5000)) + h.one("", "0\r\n\r\n", "0\r\nContent-Length: 9\r\n\r\n"))
	case 6:
		fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body)+1+h.rng.IntN(1000), body)
	case 7:
		fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s%s", len(body), body, smuggled)
	}
}

// json is a body with some of the route's fields, mostly of the wrong kind.
func (h *hostile) json(fields []string) string {
	switch h.rng.IntN(16) {
	case 0:
		n := 1 + h.rng.IntN(3000)
		return strings.Repeat(h.one("[", `{"a":`, `[[{"x":`), n) + h.one("", "1") + strings.Repeat("]", n)
	case 1:
		return h.one("", "null", "[]", `"x"`, "1e999999", "-", "NaN", "\xef\xbb\xbf{}", "{}{}", "{} x", "{,}", "{'a':1}", "/*x*/{}", "{\"\xff\":1}", `{"a":"\ud800"}`, "\x00", "{", "true", `{"a":01}`)
	case 2:
		return `{"x":"` + strings.Repeat("A", 15<<10+h.rng.IntN(8<<10)) + `"}`
	case 3:
		return "{" + strings.Repeat(`"refresh_token":"a",`, 1+h.rng.IntN(500)) + `"refresh_token":"b"}`
	case 4:
		return "[" + strings.Repeat(`{},`, h.rng.IntN(4000)) + "{}]"
	}
	var parts []string
	for _, f := range fields {
		if h.in(2) {
			continue
		}
		if h.in(8) {
			f = h.one(strings.ToUpper(f), f+" ", "__proto__", `\u0061`, f+`\u0000`, "constructor", "")
		}
		parts = append(parts, `"`+f+`":`+h.value(f))
		if h.in(20) {
			parts = append(parts, parts[len(parts)-1])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (h *hostile) value(field string) string {
	if h.in(2) && (field == "refresh_token" || field == "credential") {
		return `"` + h.shown() + `"`
	}
	long := 1 + h.rng.IntN(300)
	return h.one("null", "true", "-1", "0", "1.5", "1e400", "9223372036854775808", "[]", "{}", `""`, `"x"`, `"\u0000"`, `"\ud83d"`, `"\u202e\u001b[2J"`, "\"\xc0\xaf\"",
		`"`+strings.Repeat("x", long)+`"`, "["+strings.Repeat(`"read:profile",`, long)+`"x"]`, `["read:all_profiles"]`, `["*",1]`, `{"$ne":null}`, `"' or 1=1--"`,
		`"standard"`, `"professional"`, `"anonymous"`, `"cookie"`, `"icp"`, `"reauthenticate"`, `"enrol"`, `{"merkleTreeDepth":20,"points":[]}`, "43200")
}

// newHostile draws by the seed over material of real sessions.
func newHostile(seed, stream uint64, s api.Tokens, credential string) *hostile {
	return &hostile{rng: rand.New(rand.NewPCG(seed, stream)), token: s.SessionToken, refresh: s.RefreshToken, credential: credential}
}
