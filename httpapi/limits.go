package httpapi

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// Limits are the rates that callers are held to, in requests a minute, and
// whose word about their addresses counts.
type Limits struct {
	Address      int // without a session, by address
	Session      int // with one
	Professional int // with a professional one
	Pseudonym    int // to open sessions, with proofs of one
	Proxies      []netip.Prefix
	Now          func() time.Time // time.Now by default
}

// meter says how the requests of a route are counted.
type meter int

const (
	metered     meter = iota // to the session whose token it carries, else to its address
	byHandler                // the handler counts, which reads the credential from the body
	ending                   // as metered, by a count that nothing else uses up
	unmetered                // never refused
	downloading              // as metered, by a larger count of its own
)

// reserved reports whether the route has places of its own under overload.
func (m meter) reserved() bool { return m == ending || m == unmetered }

// policy is a rate and the name that the RateLimit fields and metrics give it.
type policy struct {
	name    string
	rate    rate
	refusal string   // what a client or its person can do
	field   []string // RateLimit-Policy
	told    *atomic.Pointer[told]
}

// told is what was last told of a policy's quotas: most requests are told the
// same.
type told struct {
	remaining, reset int
	field            []string // RateLimit
}

func newPolicy(name string, perMinute int, refusal string) policy {
	field := fmt.Sprintf("%q;q=%d;w=%d", name, perMinute, window/time.Second)
	return policy{name, rate(perMinute), refusal, []string{field}, &atomic.Pointer[told]{}}
}

const wait = " Try again after the seconds that Retry-After tells."

// limits is the state behind Limits. Nil limits nothing.
type limits struct {
	*limiter
	address, session, professional, ending, download, pseudonym policy

	proxies proxies
	now     func() time.Time
	refused func(policy string)
	log     *slog.Logger
	hint    sync.Once
}

func newLimits(o Options) *limits {
	c := o.Limits
	if c == nil {
		return nil
	}
	const much = "Too many requests with this session." + wait
	l := &limits{
		address:      newPolicy("address", c.Address, "Too many requests without a session from this network."+wait),
		session:      newPolicy("session", c.Session, much),
		professional: newPolicy("professional", c.Professional, much),
		ending:       newPolicy("ending", c.Session, "Too many requests to end sessions. Logging out still works."+wait),
		download:     newPolicy("download", downloads*c.Address, "Too many downloads from this network."+wait),
		pseudonym:    newPolicy("pseudonym", c.Pseudonym, "Too many sign-ins with this identity."+wait),
		proxies:      c.Proxies, now: c.Now, refused: o.Refused, log: o.Log,
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.limiter = newLimiter(limiterKeys, l.now())
	return l
}

// downloads is how many files a client may get for each other request: a large
// group has some hundred pages, and who asked for few of them would tell which.
const downloads = 10

// count is the charge of one request, which is made once.
type count struct {
	limits  *limits
	request *http.Request
	answer  http.Header
	meter   meter
	charged bool
}

// session charges the request to the session that a genuine token of it names,
// and without one to the request's address. So people behind one address do
// not use up one another's, and forged tokens are their sender's own affair.
func (c *count) session(id token.ID, genuine bool) error {
	if c.limits == nil || c.meter == unmetered {
		return nil
	}
	c.charged = true
	l, k, p := c.limits, limiterKey{kind: 's', id: id}, &c.limits.session
	switch {
	case !genuine:
		k, p = l.addressKey(c.request), &l.address
		if c.meter == downloading {
			k.kind, p = 'd', &l.download
		}
	case c.meter == ending:
		k.kind, p = 'e', &l.ending
	case id.Kind() == token.Professional:
		p = &l.professional
	}
	return c.charge(k, p)
}

// pseudonym charges the request to the pseudonym that its proof claims.
func (c *count) pseudonym(id string) error {
	if c.limits == nil {
		return nil
	}
	k := limiterKey{kind: 'p'}
	sum := sha256.Sum256([]byte(id))
	copy(k.id[:], sum[:])
	return c.charge(k, &c.limits.pseudonym)
}

func (c *count) charge(k limiterKey, p *policy) error {
	b := c.limits.allow(k, p.rate, c.limits.now())
	tell(c.answer, p, b)
	if b.ok {
		return nil
	}
	c.limits.refused(p.name)
	f := refuse(http.StatusTooManyRequests, api.RateLimited, p.refusal)
	f.retry = b.reset
	return f
}

// rest charges a request that was refused before anybody counted it.
func (c *count) rest(err error) error {
	if err == nil || c.charged {
		return err
	}
	if e := c.session(token.ID{}, false); e != nil {
		return e
	}
	return err
}

// addressKey is the key of the request's address, which goes nowhere else: not
// to a log, a metric or a store.
func (l *limits) addressKey(r *http.Request) limiterKey {
	l.hintAtProxy(r)
	k := limiterKey{kind: 'a'}
	b := block(l.proxies.client(r)).As16()
	copy(k.id[:], b[:])
	return k
}

// hintAtProxy tells the operator, once, of the mistake by which all people
// share one limit: a proxy in front that is not configured.
func (l *limits) hintAtProxy(r *http.Request) {
	if len(l.proxies) > 0 || r.Header.Get(forwardedFor) == "" {
		return
	}
	if a := peer(r.RemoteAddr); a.IsLoopback() || a.IsPrivate() {
		l.hint.Do(func() {
			l.log.Warn("a request came with X-Forwarded-For from a private address; if that is your proxy, name it in limits.proxies, or all its clients share one limit")
		})
	}
}

// tell sets the RateLimit fields (draft-ietf-httpapi-ratelimit-headers-11,
// sections 3 and 4): the policy that the request was counted by, what is left
// of its quota, and the seconds until that is whole again or, with nothing
// left, until a request is allowed. No partition key: it would name an address
// or a session.
func tell(h http.Header, p *policy, b bucket) {
	last, reset := p.told.Load(), seconds(b.reset)
	if last == nil || last.remaining != b.remaining || last.reset != reset {
		value := append(append(make([]byte, 0, 48), '"'), p.name...)
		value = strconv.AppendInt(append(value, `";r=`...), int64(b.remaining), 10)
		value = strconv.AppendInt(append(value, ";t="...), int64(reset), 10)
		last = &told{b.remaining, reset, []string{string(value)}}
		p.told.Store(last)
	}
	h["Ratelimit-Policy"] = p.field
	h["Ratelimit"] = last.field
}

// retrySpread is the width over which those who were refused together come
// back, in seconds.
const retrySpread = 5

// retryAfter is a Retry-After (RFC 9110, section 10.2.3): not before the wait
// is over, and not for all at the same moment.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, seconds(wait)) + rand.IntN(retrySpread))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
