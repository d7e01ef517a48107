package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mentalverse/session/bench"
)

type benchCmd struct {
	Run  benchRunCmd  `cmd:"" default:"withargs" help:"Measure a server, its own by default, beside a no-op handler and a raw group commit."`
	Noop benchNoopCmd `cmd:"" hidden:"" help:"Serve the sample on standard input."`
}

type benchRunCmd struct {
	Server   string            `help:"A running server to measure, whose limits are off or high; without it one is started." placeholder:"http://HOST:PORT"`
	Sessions int               `help:"Live sessions (1000 on a running server)." default:"10000"`
	Clients  int               `help:"Connections." default:"64"`
	Rounds   int               `help:"Rounds, of which the medians are told." default:"5"`
	Lasts    time.Duration     `help:"Length of one measurement." default:"2s"`
	Only     []string          `help:"Only these: validate, refresh, create, logout, mixed, store create."`
	Peer     map[string]string `help:"Another program's session check to measure beside validate: NAME=HOST:PORT@FILE, where each line of the file is a request's path and one header field, separated by a tab." placeholder:"NAME=HOST:PORT@FILE"`
	Floors   bool              `help:"Beside refresh, measure handlers that only read its body, sign, or write to the store."`
	JSON     bool              `help:"Print JSON." name:"json"`
}

func (cmd benchRunCmd) Run(ctx context.Context, s streams) error {
	o := bench.Options{
		Server: cmd.Server, Sessions: cmd.Sessions, Clients: cmd.Clients, Rounds: cmd.Rounds, Lasts: cmd.Lasts,
		Operations: cmd.Only, Floors: cmd.Floors, Progress: s.err, Peers: map[string]bench.Peer{},
	}
	for _, n := range []int{o.Sessions, o.Clients, o.Rounds} {
		if n < 1 {
			return fmt.Errorf("sessions, clients and rounds are at least 1")
		}
	}
	for name, at := range cmd.Peer {
		addr, file, ok := strings.Cut(at, "@")
		if !ok {
			return fmt.Errorf("--peer %s=%s is not NAME=HOST:PORT@FILE", name, at)
		}
		p, err := readPeer(addr, file)
		if err != nil {
			return err
		}
		o.Peers[name] = p
	}
	r, err := bench.Measure(ctx, o)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, r)
	}
	return tabulate(s, r)
}

func readPeer(addr, file string) (bench.Peer, error) {
	f, err := os.Open(file)
	if err != nil {
		return bench.Peer{}, err
	}
	defer f.Close()
	p := bench.Peer{Addr: addr}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		path, field, ok := strings.Cut(lines.Text(), "\t")
		if !ok {
			return p, fmt.Errorf("%s: line %d is no path and field", file, len(p.Requests)+1)
		}
		p.Requests = append(p.Requests, []byte("GET "+path+" HTTP/1.1\r\nHost: 127.0.0.1\r\n"+field+"\r\n\r\n"))
	}
	if len(p.Requests) == 0 {
		return p, fmt.Errorf("%s: no requests", file)
	}
	return p, lines.Err()
}

func tabulate(s streams, r bench.Report) error {
	fmt.Fprintf(s.out, "%d live sessions, %d clients, medians of %d rounds of %v\n", r.Sessions, r.Clients, r.Rounds, r.Lasts)
	if r.Ready > 0 {
		fmt.Fprintf(s.out, "ready %v after its start\n", r.Ready.Round(time.Millisecond))
	}
	if r.Commit > 0 {
		fmt.Fprintf(s.out, "raw group commit: %.0f records a second\n", r.Commit)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nOPERATION\tPER SECOND\tP50 µs\tP99 µs\tNO-OP/s\tNO-OP P99 µs\tOF NO-OP\tP99 OF NO-OP\tCPU µs\tNO-OP CPU µs\tCPU OF NO-OP\tOF COMMIT\t")
	ratio := func(v float64) string {
		if v == 0 {
			return "–"
		}
		return fmt.Sprintf("%.2f", v)
	}
	for _, l := range r.Results {
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s\t%.1f\t%.1f\t%s\t%s\t\n", l.Operation, l.Rate, l.P50, l.P99,
			l.NoopRate, l.NoopP99, ratio(l.OfNoop), ratio(l.P99OfNoop), l.CPU, l.NoopCPU, ratio(l.CPUOfNoop), ratio(l.OfCommit))
	}
	return w.Flush()
}

type benchNoopCmd struct {
	Does []string `help:"Parts of a refresh that it does: read, store, sign."`
}

func (cmd benchNoopCmd) Run(ctx context.Context, s streams) error {
	sample, err := bench.ReadSample(os.Stdin)
	if err != nil {
		return err
	}
	return bench.Noop(ctx, sample, s.out, cmd.Does...)
}
