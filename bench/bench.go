package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// Options say what to measure and how long.
type Options struct {
	Server     string // of a running server, http://host:port; empty for one of its own
	Sessions   int    // live ones
	Clients    int    // connections
	Rounds     int    // of which the medians are told
	Lasts      time.Duration
	Operations []string        // all when empty
	Peers      map[string]Peer // measured beside validate
	Floors     bool            // measured beside refresh
	Progress   io.Writer
}

// Operations are what can be measured, in the order of the report.
var Operations = []string{"validate", "refresh", "create", "logout", "mixed", "store create"}

// Peer is another program's check of a session: where it listens, and the
// requests to make.
type Peer struct {
	Addr     string
	Requests [][]byte
}

// Result is one operation beside its limits: medians over the rounds.
type Result struct {
	Operation string  `json:"operation"`
	Rate      float64 `json:"per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	NoopRate  float64 `json:"noop_per_second,omitempty"`
	NoopP99   float64 `json:"noop_p99_us,omitempty"`
	OfNoop    float64 `json:"of_noop,omitempty"`     // rate by the no-op's
	CPU       float64 `json:"cpu_us,omitempty"`      // that the server used for a call
	NoopCPU   float64 `json:"noop_cpu_us,omitempty"` // and the no-op
	CPUOfNoop float64 `json:"cpu_of_noop,omitempty"` // the no-op's by the server's: the rate's ratio on a core of its own
	P99OfNoop float64 `json:"p99_of_noop,omitempty"` // p99 by the no-op's
	OfCommit  float64 `json:"of_commit,omitempty"`   // rate by a raw group commit's, of writes
}

// Report is what a run came to.
type Report struct {
	Sessions int           `json:"sessions"`
	Clients  int           `json:"clients"`
	Rounds   int           `json:"rounds"`
	Lasts    time.Duration `json:"lasts_ns"`
	Ready    time.Duration `json:"ready_ns,omitempty"` // of its own server, from start to ready
	Commit   float64       `json:"commits_per_second,omitempty"`
	Results  []Result      `json:"results"`
}

// Measure runs the operations, each beside its limits, round by round.
func Measure(ctx context.Context, o Options) (Report, error) {
	b := &bench{Options: o, report: Report{Sessions: o.Sessions, Clients: o.Clients, Rounds: o.Rounds, Lasts: o.Lasts}}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return Report{}, err
	}
	for _, name := range Operations {
		if len(o.Operations) > 0 && !slices.Contains(o.Operations, name) {
			continue
		}
		fmt.Fprintf(o.Progress, "measuring %s\n", name)
		if err := b.measure(ctx, name); err != nil {
			return Report{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	b.report.Commit = median(b.commits)
	return b.report, nil
}

type bench struct {
	Options
	report  Report
	dir     string   // for everything that lies on disk
	own     *process // nil for a running server
	addr    string   // of the server
	tokens  []string
	pairs   []api.Tokens // one a client, for refreshing
	commits []float64
	closers []func() error
}

func (b *bench) close() error {
	var err error
	for _, f := range slices.Backward(b.closers) {
		err = errors.Join(err, f())
	}
	return err
}

// open prepares the server, its sessions and the cores.
func (b *bench) open(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "sessiond-bench-"); err != nil {
		return err
	}
	b.closers = append(b.closers, func() error { return os.RemoveAll(b.dir) })
	if b.Server != "" {
		u, err := url.Parse(b.Server)
		if err != nil || u.Scheme != "http" {
			return fmt.Errorf("%q is not http://host:port", b.Server)
		}
		b.addr = u.Host
	} else if err := b.ownServer(ctx); err != nil {
		return err
	}
	if err := toLoadCore(); err != nil {
		return err
	}
	if len(b.tokens) > 0 {
		if err := b.warmUp(ctx); err != nil {
			return err
		}
	}
	c, err := dial(b.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if b.pairs, err = signIn(c, b.Clients); err != nil {
		return fmt.Errorf("signing in: %w (a server that limits rates cannot be measured; raise its limits)", err)
	}
	if b.Server != "" {
		more, err := signIn(c, b.Sessions)
		if err != nil {
			return fmt.Errorf("signing in: %w (a server that limits rates cannot be measured; raise its limits)", err)
		}
		for _, t := range more {
			b.tokens = append(b.tokens, t.SessionToken)
		}
		return b.warmUp(ctx)
	}
	return nil
}

// ownServer fills a data folder and starts a server of its own over it, with
// limits that are counted but never reached.
func (b *bench) ownServer(ctx context.Context) error {
	data := filepath.Join(b.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	c := server.DefaultConfig()
	c.Data, c.PublicURL = data, "http://localhost:8080"
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	var err error
	if b.tokens, err = populate(ctx, c, b.Sessions, b.Progress); err != nil {
		return err
	}
	file := filepath.Join(b.dir, "sessiond.yaml")
	if err := os.WriteFile(file, []byte("limits: {address_per_minute: 1000000, session_per_minute: 1000000}\n"), 0o600); err != nil {
		return err
	}
	p, err := start(ctx, nil, "serve", "--config", file, "--data", data, "--public-url", c.PublicURL,
		"--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.closers = append(b.closers, p.stop)
	b.own, b.addr, b.report.Ready = p, p.addr, p.ready
	fmt.Fprintf(b.Progress, "the server was ready after %v\n", p.ready.Round(time.Millisecond))
	return nil
}

// warmUp validates each session once, and waits until its first use is in the
// store: a token is verified by its signature when it is first seen, and
// validated many times in its life. It tells nothing of people, so that nothing
// is written of them while the first minute is measured.
func (b *bench) warmUp(ctx context.Context) error {
	began := time.Now()
	var next atomic.Int64
	calls := func(int) (call, bool) {
		i := int(next.Add(1)) - 1
		if i >= len(b.tokens) {
			return call{}, false
		}
		return call{request: glance(b.tokens[i])}, true
	}
	if _, err := runLoad(ctx, b.addr, b.Clients, time.Hour, calls); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	if b.own != nil {
		if err := b.own.settle(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.Progress, "each session was validated once in %v\n", time.Since(began).Round(time.Millisecond))
	return nil
}

// onServer runs a load on the server that is measured.
func (b *bench) onServer(ctx context.Context, l load) (Run, error) {
	if b.own != nil {
		return runOn(ctx, b.own, b.Clients, b.Lasts, l)
	}
	return runLoad(ctx, b.addr, b.Clients, b.Lasts, l)
}

// preparedCalls is how many sign-ins or logouts make a round; each can be made
// only once, so they are made ready before.
func (b *bench) preparedCalls() int { return max(b.Clients, int(b.Lasts.Seconds()*1000)) }

// loads returns a round's load of an operation, and a request like those of it
// that the load does not need.
func (b *bench) loads(name string) (l load, like []byte, err error) {
	c, err := dial(b.addr)
	if err != nil {
		return nil, nil, err
	}
	defer c.conn.Close()
	switch name {
	case "validate":
		return validateLoad(b.tokens), request("GET", validatePath, b.tokens[0], nil), nil
	case "refresh":
		return refreshLoad(b.pairs), refreshRequest(b.pairs[0].RefreshToken), nil
	case "logout":
		pairs, err := signIn(c, b.preparedCalls())
		if err != nil {
			return nil, nil, err
		}
		return logoutLoad(pairs, b.Clients), request("POST", logoutPath, pairs[0].SessionToken, nil), nil
	}
	signIns, err := prepare(c, b.preparedCalls()+1)
	if err != nil {
		return nil, nil, err
	}
	var created []api.Tokens
	create := createLoad(signIns[1:], b.Clients, &created)
	if name == "create" {
		return create, signIns[0], nil
	}
	return mixedLoad(validateLoad(b.tokens), refreshLoad(b.pairs), create, &created, b.Clients), request("GET", validatePath, b.tokens[0], nil), nil
}

// measure runs one operation's rounds: the no-op, the operation, and of writes
// the raw group commit.
func (b *bench) measure(ctx context.Context, name string) error {
	var runs, noops []Run
	var commits []float64
	peers, floors := map[string][]Run{}, make([][]Run, len(Floors))
	var noop *process
	var bare []*process // that do the floors
	for range b.Rounds {
		if name != "validate" && name != "mixed" {
			r, err := groupCommit(b.dir, b.Clients, b.Lasts)
			if err != nil {
				return err
			}
			commits = append(commits, r.Rate())
		}
		if name == "store create" {
			r, err := b.storeCreate(ctx)
			if err != nil {
				return err
			}
			runs = append(runs, r)
			continue
		}
		l, like, err := b.loads(name)
		if err != nil {
			return err
		}
		if noop == nil {
			if noop, err = b.startNoop(ctx, like); err != nil {
				return err
			}
			defer noop.stop()
			for _, parts := range Floors {
				if name != "refresh" || !b.Floors {
					break
				}
				p, err := b.startNoop(ctx, like, parts...)
				if err != nil {
					return err
				}
				defer p.stop()
				bare = append(bare, p)
			}
		}
		same := constantLoad(like)
		if name == "validate" {
			same = l // a load from cold memory, as the server gets it
		}
		r, err := runOn(ctx, noop, b.Clients, b.Lasts, same)
		if err != nil {
			return fmt.Errorf("the no-op: %w", err)
		}
		noops = append(noops, r)
		if r, err = b.onServer(ctx, l); err != nil {
			return err
		}
		runs = append(runs, r)
		for i, p := range bare {
			if r, err = runOn(ctx, p, b.Clients, b.Lasts, same); err != nil {
				return fmt.Errorf("only %s: %w", strings.Join(Floors[i], ", "), err)
			}
			floors[i] = append(floors[i], r)
		}
		if name != "validate" {
			continue
		}
		for peer, p := range b.Peers {
			if r, err = runLoad(ctx, p.Addr, b.Clients, b.Lasts, randomLoad(p.Requests)); err != nil {
				return fmt.Errorf("%s: %w", peer, err)
			}
			peers[peer] = append(peers[peer], r)
		}
	}
	b.report.Results = append(b.report.Results, result(name, runs, noops, commits))
	for i := range bare {
		b.report.Results = append(b.report.Results, result("only "+strings.Join(Floors[i], ", "), floors[i], noops, nil))
	}
	for _, peer := range slices.Sorted(maps.Keys(peers)) {
		b.report.Results = append(b.report.Results, result(peer, peers[peer], noops, nil))
	}
	b.commits = append(b.commits, commits...)
	return nil
}

// startNoop starts a no-op that answers as the server answers the request, and
// does the parts of a refresh.
func (b *bench) startNoop(ctx context.Context, like []byte, parts ...string) (*process, error) {
	sample, err := b.sample(like)
	if err != nil {
		return nil, err
	}
	args := []string{"bench", "noop"}
	for _, part := range parts {
		args = append(args, "--does", part)
	}
	return start(ctx, bytes.NewReader(encode(sample)), args...)
}

// sample is the server's answer to the request: the no-op answers with the
// same header fields and body.
func (b *bench) sample(like []byte) (Sample, error) {
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		return Sample{}, err
	}
	defer conn.Close()
	if _, err := conn.Write(like); err != nil {
		return Sample{}, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return Sample{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return Sample{}, err
	}
	if res.StatusCode/100 != 2 {
		return Sample{}, fmt.Errorf("an answer %d: %s", res.StatusCode, body)
	}
	res.Header.Del("Date") // net/http sets it
	return Sample{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

func result(name string, runs, noops []Run, commits []float64) Result {
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	of := func(runs []Run, f func(Run) float64) float64 {
		var values []float64
		for _, r := range runs {
			values = append(values, f(r))
		}
		return median(values)
	}
	r := Result{
		Operation: name, Rate: of(runs, Run.Rate),
		P50: of(runs, func(r Run) float64 { return us(r.P50) }), P99: of(runs, func(r Run) float64 { return us(r.P99) }),
	}
	if len(noops) > 0 {
		r.NoopRate, r.NoopP99 = of(noops, Run.Rate), of(noops, func(r Run) float64 { return us(r.P99) })
		r.OfNoop, r.P99OfNoop = r.Rate/r.NoopRate, r.P99/r.NoopP99
	}
	cpu := func(r Run) float64 { return us(r.CPUPerCall()) }
	if r.CPU, r.NoopCPU = of(runs, cpu), of(noops, cpu); r.CPU > 0 {
		r.CPUOfNoop = r.NoopCPU / r.CPU
	}
	if len(commits) > 0 {
		r.OfCommit = r.Rate / median(commits)
	}
	return r
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ReadSample reads what Noop imitates.
func ReadSample(r io.Reader) (Sample, error) {
	var s Sample
	return s, json.NewDecoder(io.LimitReader(r, 2<<20)).Decode(&s)
}
