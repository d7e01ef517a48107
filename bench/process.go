package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// process is a child of this program, alone on the first core.
type process struct {
	cmd       *exec.Cmd
	addr      string
	operators string        // empty when it has none
	ready     time.Duration // from its start to its word that it is ready
}

var readyLine = regexp.MustCompile(`ready on http://(\S+)(?: \(operators: http://(\S+)\))?`)

// start runs this program with the arguments and waits until it is ready.
func start(ctx context.Context, stdin io.Reader, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdin = stdin
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := onServerCore(cmd.Start); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		return nil, errors.Join(fmt.Errorf("%v did not start: %q", args, line), err, cmd.Process.Kill(), cmd.Wait())
	}
	go io.Copy(io.Discard, out)
	return &process{cmd: cmd, addr: found[1], operators: found[2], ready: time.Since(began)}, nil
}

// cpu is what the process has used of its core; 0 where that cannot be told.
func (p *process) cpu() time.Duration {
	if p == nil {
		return 0
	}
	return cpuOf(p.cmd.Process.Pid)
}

// settle waits until everything that the server has seen is written.
func (p *process) settle(ctx context.Context) error {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.operators+"/metrics", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("\nsessiond_sightings_unwritten 0\n")) {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return ctx.Err()
}

// stop asks the process to end and waits until it has.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}
