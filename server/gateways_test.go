package server_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// The gateways of packaging/gateways, each run as it is shipped: only addresses,
// folders and the wait for an answer are other ones.
var gateways = []struct {
	name  string
	start func(t *testing.T, c crossing) (address string)
}{
	{"nginx", startNginx},
	{"Caddy", startCaddy},
}

// crossing is what a gateway stands in front of: host:port of each.
type crossing struct{ sessiond, application string }

const appHost = "app.example.org"

// gate is a gateway in front of a server and an application.
type gate struct {
	*world
	app     *application
	address string
}

// throughEach tells a story at each gateway.
func throughEach(t *testing.T, story func(t *testing.T, g *gate), change ...func(*server.Config)) {
	for _, one := range gateways {
		t.Run(one.name, func(t *testing.T) {
			g := &gate{app: newApplication(t)}
			g.world = newWorld(t, append(change, func(c *server.Config) {
				c.Hosts, c.Limits.Proxies = []string{appHost}, []string{"127.0.0.1/32"}
			})...)
			g.address = one.start(t, crossing{strings.TrimPrefix(g.url, "http://"), g.app.address()})
			story(t, g)
		})
	}
}

// application stands behind a gateway and tells what reaches it.
type application struct {
	*httptest.Server
	reached atomic.Int32
}

// arrival is a request as the application got it.
type arrival struct {
	Method, URI, Body string
	Header            http.Header
}

func newApplication(t *testing.T) *application {
	app := new(application)
	app.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app.reached.Add(1)
		if strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
			app.upgrade(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(arrival{r.Method, r.RequestURI, string(body), r.Header})
	}))
	t.Cleanup(app.Close)
	return app
}

func (app *application) address() string { return app.Listener.Addr().String() }

// upgrade changes to whatever it is asked for, and speaks as a socket does: it says
// who is there, and repeats a line.
func (app *application) upgrade(w http.ResponseWriter, r *http.Request) {
	conn, stream, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	stream.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + r.Header.Get("Upgrade") + "\r\nConnection: Upgrade\r\n\r\n" + r.Header.Get("Session-Subject") + "\n")
	stream.Flush()
	if line, err := stream.ReadString('\n'); err == nil {
		stream.WriteString(line)
		stream.Flush()
	}
}

// client is one whose own address is this.
func (g *gate) client(t *testing.T, own string) *http.Client {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the certificate was made a moment ago
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(own)}}
			return d.DialContext(ctx, "tcp", g.address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// request is one to the gateway; fields are names and values in turn. Names are
// sent as they are.
func (g *gate) request(method, path, body string, fields ...string) *http.Request {
	g.t.Helper()
	req, err := http.NewRequest(method, "https://"+appHost+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header[fields[i]] = append(req.Header[fields[i]], fields[i+1])
	}
	return req
}

func (g *gate) send(c *http.Client, req *http.Request) answer {
	g.t.Helper()
	res, err := c.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

// passes is what the application got of a request that must reach it.
func (g *gate) passes(c *http.Client, req *http.Request) (got arrival) {
	g.t.Helper()
	before := g.app.reached.Load()
	a := g.send(c, req)
	if a.Status != 200 || g.app.reached.Load() != before+1 {
		g.t.Fatalf("%s %s did not pass: %d %s", req.Method, req.URL, a.Status, a.Body)
	}
	if req.Method != http.MethodHead {
		if err := json.Unmarshal(a.Body, &got); err != nil {
			g.t.Fatal(err)
		}
	}
	return got
}

// stops is passes of a request that must not reach the application.
func (g *gate) stops(c *http.Client, req *http.Request, status int, code api.Code) answer {
	g.t.Helper()
	before := g.app.reached.Load()
	a := g.send(c, req)
	if a.Status != status || a.code() != code {
		g.t.Errorf("%s %s: %d %q, want %d %q: %s", req.Method, req.URL, a.Status, a.code(), status, code, a.Body)
	}
	if g.app.reached.Load() != before {
		g.t.Errorf("%s %s reached the application", req.Method, req.URL)
	}
	for name := range a.Header {
		if slices.Contains(sessionFields, name) {
			g.t.Errorf("%s %s: a refusal has %s", req.Method, req.URL, name)
		}
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		g.t.Errorf("%s %s: Cache-Control %q", req.Method, req.URL, a.Header.Get("Cache-Control"))
	}
	return a
}

var sessionFields = []string{"Session-Subject", "Session-Type", "Session-Permissions", "Session-Verification-Level"}

// By token and by cookie, with a body or without, a good session passes, and the
// application is told whose it is. It ends, and passes no more.
func TestAGatewayLetsAGoodSessionPassUntilItEnds(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		s := g.signIn(api.CreateRequest{})
		user := data[api.Validation](t, g.validate(s.SessionToken)).UserID
		page := newJar(g.world)
		page.signIn()
		for name, fields := range map[string][]string{
			"token":  {"Authorization", "Bearer " + s.SessionToken},
			"cookie": {"Cookie", "theme=dark; __Host-s=" + page.cookies["__Host-s"]},
		} {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
				body := ""
				if method == "POST" || method == "PUT" {
					body = `{"text":"` + strings.Repeat("long ", 10_000) + `"}`
				}
				req := g.request(method, "/messages/7?permission=write:therapy_notes&headers=x&token=y", body, append(fields, "Content-Type", "application/json", "Origin", "https://evil.example")...)
				got := g.passes(c, req)
				if method == http.MethodHead {
					continue
				}
				if got.Method != method || got.Body != body || got.URI != req.URL.RequestURI() {
					t.Errorf("%s, %s arrived as %s %s with %d bytes", name, method, got.Method, got.URI, len(got.Body))
				}
				for field, want := range map[string]string{
					"Session-Subject": user, "Session-Type": "standard", "Session-Permissions": "book:sessions join:groups read:profile write:messages",
				} {
					if v := got.Header[field]; len(v) != 1 || v[0] != want {
						t.Errorf("%s: the application got %s %q, want %q", name, field, v, want)
					}
				}
				if v := got.Header["Authorization"]; v != nil {
					t.Errorf("the application got the token")
				}
			}
			chunked := g.request("POST", "/anything", "", fields...)
			chunked.Body, chunked.ContentLength = io.NopCloser(strings.NewReader("in pieces")), -1
			if got := g.passes(c, chunked); got.Body != "in pieces" {
				t.Errorf("a body in pieces arrived as %q", got.Body)
			}
		}
		if got := g.passes(c, g.request("GET", "/public/page", "")); got.Header.Get("Session-Subject") != "" {
			t.Error("a stranger has a name")
		}

		// sessiond's own calls pass as they are.
		bearer := []string{"Authorization", "Bearer " + s.SessionToken}
		if a := g.send(c, g.request("POST", "/api/auth/sessions/activity", "", bearer...)); a.Status != 200 {
			t.Errorf("activity: %d %s", a.Status, a.Body)
		}
		if a := g.send(c, g.request("POST", "/api/auth/sessions/logout", "", bearer...)); a.Status != 200 {
			t.Errorf("logout: %d %s", a.Status, a.Body)
		}
		g.stops(c, g.request("GET", "/messages/7", "", bearer...), 401, api.SessionInvalid)
		cookie := "__Host-s=" + page.cookies["__Host-s"]
		g.want(page.call("POST", "/api/auth/sessions/logout", ""), 200, "")
		g.stops(c, g.request("GET", "/messages/7", "", "Cookie", cookie), 401, api.SessionInvalid)
	})
}

// Who is not signed in, may not do this, or must first prove anew who they are is
// told so as sessiond says it.
func TestAGatewayRefusesAsSessiondDoes(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
		for _, path := range []string{"/", "/messages", "/notes/1", "/settings/", "/nobody/thought/of/this"} {
			a := g.stops(c, g.request("GET", path, ""), 401, api.SessionInvalid)
			if v := a.Header["Www-Authenticate"]; len(v) != 1 || v[0] != `Bearer error="invalid_token"` {
				t.Errorf("%s: WWW-Authenticate %q", path, v)
			}
			g.stops(c, g.request("POST", path, "{}", bearer("forged")...), 401, api.SessionInvalid)
		}
		s := g.signIn(api.CreateRequest{Permissions: []string{"read:profile"}})
		g.passes(c, g.request("GET", "/profile", "", bearer(s.SessionToken)...))
		for _, path := range []string{"/messages", "/messages/", "/messages/1", "/Messages/1", "/MESSAGES", "/messages.json", "/%6dessages/1", "/messages?x", "/notes", "/Notes/1"} {
			g.stops(c, g.request("GET", path, "", bearer(s.SessionToken)...), 403, api.PermissionDenied)
		}
		page := newJar(g.world)
		page.signIn()
		g.stops(c, g.request("GET", "/", "", append(bearer(s.SessionToken), "Cookie", "__Host-s="+page.cookies["__Host-s"])...), 400, api.InvalidRequest)

		// A professional's sensitive permission, while the authentication is fresh.
		ada := g.newOperator("operator")
		g.importFile(ada.Key, "reason=the+list+of+November", licenceHeader, "PSY-7,Board of Bavaria,DE-BY,verified,2027-12-31,icp,"+g.person.Principal()+",")
		p := data[api.Tokens](t, g.practise(g.person, api.CreateRequest{}))
		got := g.passes(c, g.request("GET", "/notes/1", "", bearer(p.SessionToken)...))
		if got.Header.Get("Session-Verification-Level") != "verified" || got.Header.Get("Session-Type") != "professional" {
			t.Errorf("the application got %v", got.Header)
		}
		g.passes(c, g.request("GET", "/settings/", "", bearer(p.SessionToken)...))
		g.clock.Advance(5*time.Minute + time.Second)
		a := g.stops(c, g.request("GET", "/settings/", "", bearer(p.SessionToken)...), 401, api.ReauthenticationRequired)
		if v := a.Header["Www-Authenticate"]; len(v) != 1 || !strings.Contains(v[0], "insufficient_user_authentication") || !strings.Contains(v[0], `max_age="300"`) {
			t.Errorf("WWW-Authenticate %q", v)
		}
		g.passes(c, g.request("GET", "/notes/1", "", bearer(p.SessionToken)...))
		g.clock.Advance(10 * time.Minute)
		a = g.stops(c, g.request("GET", "/notes/1", "", bearer(p.SessionToken)...), 401, api.ReauthenticationRequired)
		if v := a.Header["Www-Authenticate"]; len(v) != 1 || !strings.Contains(v[0], `max_age="900"`) {
			t.Errorf("WWW-Authenticate %q", v)
		}
		g.clock.Advance(12 * time.Hour)
		g.stops(c, g.request("GET", "/", "", bearer(s.SessionToken)...), 401, api.SessionExpired)
	})
}

// Whatever a client calls its fields, the application gets sessiond's word or none.
func TestNoClientForgesWhatAGatewaySays(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		s := g.signIn(api.CreateRequest{Permissions: []string{"read:profile"}})
		fields := []string{"Authorization", "Bearer " + s.SessionToken}
		for _, name := range sessionFields {
			for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), strings.Replace(name, "-", "_", 1), name[:len("Session-")] + strings.ReplaceAll(name[len("Session-"):], "-", "_")} {
				fields = append(fields, spelling, "forged")
			}
		}
		for _, path := range []string{"/", "/public/", "/messages"} {
			req := g.request("GET", path, "", fields...)
			if path == "/messages" {
				g.stops(c, req, 403, api.PermissionDenied)
				continue
			}
			for name, values := range g.passes(c, req).Header {
				plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
				if strings.HasPrefix(plain, "session-") && slices.Contains(values, "forged") {
					t.Errorf("%s: the application got %s %q", path, name, values)
				}
			}
		}
	})
}

// By Connection a client says which fields are meant for the next hop alone. What
// sessiond said of it is not among them.
func TestNoClientTakesOffWhatAGatewaySays(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		s := g.signIn(api.CreateRequest{})
		for _, first := range []string{"keep-alive", "Upgrade"} {
			fields := []string{"Authorization", "Bearer " + s.SessionToken, "Connection", first + ", Session-Subject, session-type", "Connection", "Session-Permissions", "Connection", "Session-Verification-Level,X-Forwarded-For"}
			got := g.passes(c, g.request("GET", "/messages/1", "", fields...))
			for _, name := range append(sessionFields, "X-Forwarded-For") {
				if got.Header.Get(name) == "" {
					t.Errorf("%s: the application did not get %s", first, name)
				}
			}
		}
	})
}

// Behind an upgrade a gateway does not see what is asked: an application that
// changed to HTTP/2 there would be asked anything, by anybody.
func TestAGatewayOpensNoTunnelButASocket(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		s := g.signIn(api.CreateRequest{})
		for _, path := range []string{"/public/", "/messages/1"} {
			for _, to := range [][]string{{"h2c"}, {"H2C"}, {"h2c, websocket"}, {"websocket, h2c"}, {"h2c", "websocket"}, {"websocket", "h2c"}, {"TLS/1.0"}} {
				fields := []string{"Authorization", "Bearer " + s.SessionToken, "Connection", "Upgrade, HTTP2-Settings", "HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"}
				for _, one := range to {
					fields = append(fields, "Upgrade", one)
				}
				res, err := c.Transport.RoundTrip(g.request("GET", path, "", fields...))
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode == http.StatusSwitchingProtocols {
					if res.Header.Get("Upgrade") != "websocket" || len(to) == 1 {
						t.Errorf("%s: %q opened a tunnel of %q", path, to, res.Header.Get("Upgrade"))
					}
				} else {
					var got arrival
					if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
						t.Fatal(err)
					}
					if got.Header["Upgrade"] != nil {
						t.Errorf("%s: of %q the application was asked for %q", path, to, got.Header["Upgrade"])
					}
				}
				res.Body.Close()
			}
		}
	})
}

// No spelling of a path is open to the gateway and something else to the
// application.
func TestNoSpellingOfAPathGoesRoundAGateway(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		for _, target := range []string{
			"/public/../messages/1", "/public/%2e%2e/messages/1", "/public/..%2fmessages/1", "/messages/..%2Fpublic/1", "/messages/%2e%2e/public/",
			"/public/..;/messages", "/public/..%3B/messages", "//public/../messages", "/public//../messages", "/public/.%2e/messages", "/messages/..%5Cpublic/", `/public\..\messages`,
			"/public/..", "/./messages", "/public/%00/../../messages", "/%70ublic/%2E%2E/messages", "https://evil.example/public/../messages",
		} {
			before := g.app.reached.Load()
			conn, err := tls.Dial("tcp", g.address, &tls.Config{InsecureSkipVerify: true, ServerName: appHost})
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: "+appHost+"\r\nConnection: close\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(target, err)
			}
			conn.Close()
			if g.app.reached.Load() != before {
				t.Errorf("%s reached the application: %d", target, res.StatusCode)
			}
		}
	})
}

// A socket of the application opens for a good session alone.
func TestASocketPassesAGateway(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		s := g.signIn(api.CreateRequest{})
		user := data[api.Validation](t, g.validate(s.SessionToken)).UserID
		upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}
		g.stops(c, g.request("GET", "/live", "", upgrade...), 401, api.SessionInvalid)
		res, err := c.Transport.RoundTrip(g.request("GET", "/live", "", append(upgrade, "Authorization", "Bearer "+s.SessionToken, "Session-Subject", "forged")...))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		socket, ok := res.Body.(io.ReadWriter)
		if res.StatusCode != http.StatusSwitchingProtocols || !ok {
			t.Fatalf("%d", res.StatusCode)
		}
		lines := bufio.NewReader(socket)
		if line, err := lines.ReadString('\n'); err != nil || line != user+"\n" {
			t.Errorf("the socket is %q's: %v", line, err)
		}
		io.WriteString(socket, "hello\n")
		if line, err := lines.ReadString('\n'); err != nil || line != "hello\n" {
			t.Errorf("the socket says %q: %v", line, err)
		}
	})
}

// Strangers are counted by the address that the gateway saw, whatever they say of
// it; who is refused for it is told so, and nobody else is.
func TestAGatewayIsNotOneClient(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		s := g.signIn(api.CreateRequest{})
		flood, neighbour := g.client(t, "127.0.0.2"), g.client(t, "127.0.0.3")
		for i := range 20 {
			g.stops(flood, g.request("GET", "/", "", "Authorization", "Bearer forged", "X-Forwarded-For", "192.0.2."+string(rune('0'+i%10))), 401, api.SessionInvalid)
		}
		a := g.stops(flood, g.request("GET", "/", "", "Authorization", "Bearer forged", "X-Forwarded-For", "192.0.2.77, 127.0.0.3"), 429, api.RateLimited)
		if a.Header.Get("Retry-After") == "" {
			t.Error("a 429 does not say when to come back")
		}
		g.stops(neighbour, g.request("GET", "/", ""), 401, api.SessionInvalid)
		g.passes(flood, g.request("GET", "/", "", "Authorization", "Bearer "+s.SessionToken))
	}, limited, func(c *server.Config) { c.Limits.AddressPerMinute = 20 })
}

// Whoever cannot say that a session is good opens nothing: a sessiond that is gone,
// silent, or somebody else.
func TestAGatewayIsShutWhileSessiondDoesNotAnswer(t *testing.T) {
	throughEach(t, func(t *testing.T, g *gate) {
		c := g.client(t, "127.0.0.1")
		s := g.signIn(api.CreateRequest{})
		good := []string{"Authorization", "Bearer " + s.SessionToken}
		g.passes(c, g.request("GET", "/", "", good...))
		g.stop()
		for _, path := range []string{"/", "/messages/1", "/notes/1", "/settings"} {
			a := g.stops(c, g.request("GET", path, "", good...), 503, api.Unavailable)
			if a.Header.Get("Retry-After") == "" || a.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
		g.passes(c, g.request("GET", "/public/", ""))
	})
	for _, one := range gateways {
		t.Run(one.name+" and strangers", func(t *testing.T) {
			for _, stranger := range []func(http.ResponseWriter, *http.Request){
				func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
				func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
				func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
				func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
				func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) },
				func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) },
			} {
				other := httptest.NewServer(http.HandlerFunc(stranger))
				g := &gate{world: &world{t: t}, app: newApplication(t)}
				g.address = one.start(t, crossing{other.Listener.Addr().String(), g.app.address()})
				if a := g.send(g.client(t, "127.0.0.1"), g.request("GET", "/", "", "Authorization", "Bearer x")); a.Status < 300 || g.app.reached.Load() != 0 {
					t.Errorf("open: %d, reached %d times", a.Status, g.app.reached.Load())
				}
				other.CloseClientConnections()
				other.Close()
			}
		})
	}
}

// A pseudonym's gateway is told the pseudonym, and nothing that is another's.
func TestAGatewayIsToldThePseudonymAlone(t *testing.T) {
	w := newWorld(t, openGroup)
	m := w.newMember()
	m.enrol()
	s, pseudonym := m.signInAnonymously()
	a := w.call("GET", "/api/auth/sessions/validate?headers=true", s.SessionToken, nil)
	for field, want := range map[string]string{
		"Session-Subject": pseudonym, "Session-Type": "anonymous", "Session-Verification-Level": "none",
		"Session-Permissions": "join:anonymous_groups read:public_content use:ai_bots",
	} {
		if got := a.Header.Get(field); a.Status != 200 || got != want {
			t.Errorf("%d: %s is %q, want %q", a.Status, field, got, want)
		}
	}
	for name := range a.Header {
		if strings.HasPrefix(name, "Session-") && !slices.Contains(sessionFields, name) {
			t.Errorf("%s is told too", name)
		}
	}
}

// gatewayFile is one of packaging/gateways with texts replaced, each of which must
// stand in it.
func gatewayFile(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "packaging", "gateways", name))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(b), pairs[i]) {
			t.Fatalf("%s does not hold %q", name, pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(string(b))
}

func writeGatewayFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// needGateway returns the gateway's program. Without it the test is skipped and
// says so; in CI it fails.
func needGateway(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("NOT RUN: %s is missing", name)
	}
	t.Skipf("NOT RUN: %s is missing; make test installs it where it may", name)
	return ""
}

// run runs a gateway until the test is over.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the gateway's log: %s", text)
		}
	})
}

// startNginx hands nginx a listener of its own (the NGINX variable, by which it
// hands its listeners over when it is replaced): it may be called before it is up.
func startNginx(t *testing.T, c crossing) string {
	program := needGateway(t, "nginx")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sessions"), 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	address := listener.Addr().String()
	writeGatewayFile(t, filepath.Join(dir, "sessions.conf"), gatewayFile(t, "nginx/sessions.conf",
		"127.0.0.1:8080", c.sessiond, "127.0.0.1:3000", c.application, "listen 443 ssl", "listen "+address+" ssl",
		"/etc/nginx/sessions/chain.pem", dir+"/chain.pem", "/etc/nginx/sessions/key.pem", dir+"/key.pem", "/var/log/nginx/error.log", dir+"/error.log"))
	writeGatewayFile(t, filepath.Join(dir, "sessions", "check.conf"), gatewayFile(t, "nginx/check.conf", "proxy_read_timeout    5s", "proxy_read_timeout 500ms"))
	for _, name := range []string{"application.conf", "sessiond.conf"} {
		writeGatewayFile(t, filepath.Join(dir, "sessions", name), gatewayFile(t, "nginx/"+name))
	}
	writeGatewayCertificate(t, dir)
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += kind + "_temp_path " + dir + "/" + kind + ";\n"
	}
	user := "" // a worker of another user could not read the folder
	if os.Getuid() == 0 {
		user = "user root root; "
	}
	writeGatewayFile(t, filepath.Join(dir, "nginx.conf"),
		"daemon off; worker_processes 1; "+user+"pid "+dir+"/pid; error_log stderr crit;\nevents {}\nhttp {\n"+temporary+"include "+dir+"/sessions.conf;\n}\n")
	cmd := exec.Command(program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
	cmd.ExtraFiles, cmd.Env = []*os.File{file}, append(os.Environ(), "NGINX=3;")
	run(t, cmd)
	return address
}

// startCaddy waits until Caddy says that it is up.
func startCaddy(t *testing.T, c crossing) string {
	program := needGateway(t, "caddy")
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	up, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	writeGatewayCertificate(t, dir)
	config := filepath.Join(dir, "Caddyfile")
	writeGatewayFile(t, config, gatewayFile(t, "caddy/Caddyfile",
		"127.0.0.1:8080", c.sessiond, "127.0.0.1:3000", c.application, "https://app.example.org {", "https://"+appHost+":"+address[strings.LastIndexByte(address, ':')+1:]+" {",
		"/etc/caddy/", dir+"/", "response_header_timeout 5s", "response_header_timeout 500ms", "{\n\t# Errors", "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n\t# Errors"))
	cmd := exec.Command(program, "run", "--config", config, "--adapter", "caddyfile", "--pingback", up.Addr().String())
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.Stdin = strings.NewReader("up")
	run(t, cmd)
	up.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second))
	conn, err := up.Accept()
	if err != nil {
		t.Fatal("Caddy did not come up: ", err)
	}
	defer conn.Close()
	said := make([]byte, len("up"))
	if _, err := io.ReadFull(conn, said); err != nil || string(said) != "up" {
		t.Fatalf("Caddy did not come up: %q, %v", said, err)
	}
	return address
}

// writeGatewayCertificate makes a certificate that signs itself.
func writeGatewayCertificate(t *testing.T, dir string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{appHost}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	writeGatewayFile(t, filepath.Join(dir, "chain.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeGatewayFile(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}
