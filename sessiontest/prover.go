package sessiontest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
)

// program makes the proofs. The go command builds it, and keeps it built.
const program = "github.com/mentalverse/session/test/prove"

// Prover makes Semaphore proofs with the ceremony's key in a process of its own,
// which is built without the race detector: a proof takes ten times as long under
// it. The zero Prover starts its process with the first proof; a test binary has
// one of them and closes it in TestMain. It needs the go command. Safe for
// concurrent use; proofs are made one after another.
type Prover struct {
	mu      sync.Mutex
	process *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

// Prove proves that somebody is the member at the end of a path, for a message and
// within a scope; these two are in decimal, as challenges write them. What cannot
// be proven is an error, and does not end the process.
func (p *Prover) Prove(who *prover.Identity, path semaphore.Path, message, scope string) (anonymous.Proof, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		if err := p.start(); err != nil {
			return anonymous.Proof{}, fmt.Errorf("sessiontest: the prover did not start: %w", err)
		}
	}
	var answer struct {
		Proof anonymous.Proof
		Error string
	}
	err := json.NewEncoder(p.in).Encode(struct {
		Secret, Message, Scope string
		Path                   semaphore.Path
	}{who.Secret(), message, scope, path})
	if err == nil {
		err = p.out.Decode(&answer)
	}
	switch {
	case err != nil:
		return anonymous.Proof{}, fmt.Errorf("sessiontest: the prover has ended: %w", err)
	case answer.Error != "":
		return anonymous.Proof{}, errors.New(answer.Error)
	}
	return answer.Proof, nil
}

// start runs the program, whose complaints are the test's. No goroutine is started
// for it: whoever counts goroutines, or lives in a synctest bubble, may prove.
func (p *Prover) start() error {
	cmd := exec.Command("go", "run", program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.process, p.in, p.out = cmd, in, json.NewDecoder(out)
	return nil
}

// Close ends the process, if there is one.
func (p *Prover) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return nil
	}
	p.in.Close()
	err := p.process.Wait()
	p.process = nil
	return err
}
