package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// Bounds of the session service's answers, in bytes. A thousand events take about
// 120 KB.
const (
	maxFeed       = 512 << 10
	maxValidation = 64 << 10
	maxKeys       = 64 << 10
	maxReported   = 4 << 10
)

// callTime bounds every call but those of the feed.
const callTime = 3 * time.Second

// remote speaks to the session service.
type remote struct {
	base string // without a slash at the end
	key  string
	http http.Client
	own  *http.Transport // to close; nil if it is the caller's
}

func newRemote(base, key string, s settings) (*remote, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil: // whose text repeats the URL
		return nil, errors.New("client: the session service's address is no URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("client: the session service's address is https://host[:port], without a user, a query or a fragment")
	case u.Scheme == "http" && !s.plain && !isLoopback(u.Hostname()):
		return nil, errors.New("client: http:// would show the key and every token to the network: use https://, or the option PlainHTTP where something else encrypts it")
	case !token.IsWord(key) || len(key) > 256:
		return nil, errors.New("client: the key is not one that `sessiond services add` gave out")
	}
	r := &remote{base: strings.TrimSuffix(u.String(), "/"), key: key}
	r.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r.http.Transport = s.transport
	if s.transport == nil {
		r.own = newTransport()
		r.http.Transport = r.own
	}
	return r, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// newTransport finds a dead HTTP/2 connection by itself: the next call of the feed
// would go the same way.
func newTransport() *http.Transport {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: callTime, MaxResponseHeaderBytes: 64 << 10,
	}
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 2 * time.Second, PingTimeout: 2 * time.Second}
	return t
}

func (r *remote) close() {
	if r.own != nil {
		r.own.CloseIdleConnections()
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call makes one call. Its error holds neither the key, nor a token, nor a position.
func (r *remote) call(ctx context.Context, method, path string, body []byte, limit int64) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, errors.New("the request cannot be made")
	}
	if strings.HasPrefix(path, api.ServicePath) {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	req.Header.Set("Cache-Control", "no-cache, no-store")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.http.Do(req)
	if err != nil {
		return answer{}, onTheWay(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return answer{}, onTheWay(err)
	}
	if int64(len(text)) > limit {
		return answer{}, fmt.Errorf("an answer of more than %d bytes", limit)
	}
	return answer{res.StatusCode, res.Header, text}, nil
}

// onTheWay is what may be told of a call that brought no answer: net/http's texts
// repeat the URL with its position, and lines of an answer that is no HTTP, in
// which whoever answers may have put the token that they were asked about.
func onTheWay(err error) error {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &op):
		return op
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	}
	return errors.New("no answer that could be read")
}

// check refuses what is no success, and what a cache between has kept: it tells of
// the past (RFC 9111 section 5.1).
func (a answer) check() error {
	if a.status != http.StatusOK {
		return statusError(a.status)
	}
	if age := a.header.Get("Age"); age != "" && age != "0" {
		return errors.New("an answer that a cache has kept")
	}
	return nil
}

// data reads what a call came to: a success, else what went wrong.
func data[T any](a answer) (*T, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	e, err := envelope[T](a)
	if err != nil {
		return nil, err
	}
	if !e.Success || e.Data == nil || e.Error != nil {
		return nil, errors.New("an envelope that contradicts its status")
	}
	return e.Data, nil
}

// envelope reads strictly, but for names that a newer session service may add:
// valid UTF-8, no name twice, names in their one spelling, nothing after the value.
func envelope[T any](a answer) (*api.Envelope[T], error) {
	if kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errors.New("an answer that is no JSON")
	}
	var e api.Envelope[T]
	if err := json.Unmarshal(a.body, &e); err != nil {
		return nil, errors.New("an answer that is malformed") // the text could repeat its values
	}
	return &e, nil
}

// statusError tells of an answer that is no success.
type statusError int

func (e statusError) Error() string {
	switch e {
	case http.StatusUnauthorized:
		return "status 401: the service key is not good"
	case http.StatusForbidden:
		return "status 403: the key is not a service's"
	}
	return fmt.Sprintf("status %d", int(e))
}

// validate asks about one token. The error is an [Error] of code session_expired or
// session_invalid if the session service refuses the token, and unavailable for
// everything else.
func (r *remote) validate(ctx context.Context, raw, after string, active bool) (*api.ServiceValidation, error) {
	body, err := json.Marshal(api.ServiceValidateRequest{Token: raw, After: after, Activity: active})
	if err != nil { // not UTF-8
		return nil, errInvalid
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	a, err := r.call(ctx, http.MethodPost, api.ServicePath+"/validate", body, maxValidation)
	if err != nil {
		return nil, unavailable(err)
	}
	return readValidation(a)
}

func readValidation(a answer) (*api.ServiceValidation, error) {
	if a.status == http.StatusUnauthorized {
		return nil, readRefusal(a)
	}
	v, err := data[api.ServiceValidation](a)
	if err != nil {
		return nil, unavailable(err)
	}
	if !v.Valid || v.MinGen > v.Generation {
		return nil, unavailable(errors.New("a validation that contradicts itself"))
	}
	return v, nil
}

// readRefusal reads what a 401 says of the token. It speaks of it only if it says
// so twice: any other 401 is about this service's key.
func readRefusal(a answer) *Error {
	e, err := envelope[api.Invalidity](a)
	switch {
	case err != nil:
		return unavailable(err)
	case e.Success, e.Error == nil, e.Data == nil, e.Data.Valid, e.Data.Reason != e.Error.Code:
	case e.Error.Code == api.SessionInvalid:
		return errInvalid
	case e.Error.Code == api.SessionExpired:
		reason := ""
		if e.Error.Details != nil {
			reason = e.Error.Details.Reason
		}
		switch reason {
		case reasonIdle, reasonAbsolute:
			return endedFor(reason)
		}
		return errTokenExpired
	}
	return unavailable(statusError(a.status))
}

// feed asks for what happened after a position, held up to wait.
func (r *remote) feed(ctx context.Context, after string, wait time.Duration) (*api.Feed, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+holdGrace)
	defer cancel()
	query := url.Values{"wait": {fmt.Sprint(int(wait / time.Second))}}
	if after != "" {
		query.Set("after", after)
	}
	a, err := r.call(ctx, http.MethodGet, api.ServicePath+"/feed?"+query.Encode(), nil, maxFeed)
	if err != nil {
		return nil, err
	}
	return readFeed(a)
}

func readFeed(a answer) (*api.Feed, error) {
	f, err := data[api.Feed](a)
	if err != nil {
		return nil, err
	}
	const day = 24 * 60 * 60 * 1000 // keeps the arithmetic whole
	if !isPosition(f.Position) || f.HeldMS < 0 || f.HeldMS > day || f.AgeMS < 0 || f.AgeMS > day || len(f.Events) > api.MaxEvents {
		return nil, errors.New("a feed that is out of bounds")
	}
	return f, nil
}

func isPosition(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != "" && len(s) <= api.MaxPosition
}

// jwks asks for the published keys; there are none where tokens are HS256.
func (r *remote) jwks(ctx context.Context) ([]*token.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	a, err := r.call(ctx, http.MethodGet, "/.well-known/jwks.json", nil, maxKeys)
	if err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return token.ParseJWKS(a.body)
}

// report tells what was seen of sessions.
func (r *remote) report(ctx context.Context, seen []api.Seen) error {
	body, err := json.Marshal(api.Report{Seen: seen})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	a, err := r.call(ctx, http.MethodPost, api.ServicePath+"/reports", body, maxReported)
	if err != nil {
		return err
	}
	_, err = data[api.Reported](a)
	return err
}
