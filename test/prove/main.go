// Command prove makes the proofs that tests need. It is a program of its own so
// that it is built without the race detector, under which a proof takes ten
// times as long; package sessiontest's Prover starts it and speaks to it.
//
// It reads statements from standard input, one JSON object each, and answers
// every one with an object on standard output: {"proof":{…}} or {"error":"…"}.
// It ends with its input.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
)

func main() {
	if err := serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

// question is what is to be proven; all but the path is in decimal.
type question struct {
	Secret, Message, Scope string
	Path                   semaphore.Path
}

type answer struct {
	Proof *semaphore.Proof `json:"proof,omitempty"`
	Error string           `json:"error,omitempty"`
}

func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	p, err := open(ctx)
	if err != nil {
		return err
	}
	defer p.Close(ctx)
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q question
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var a answer
		if a.Proof, err = prove(ctx, p, q); err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

func open(ctx context.Context) (*prover.Prover, error) {
	files, err := artifacts.Open("")
	if err != nil {
		return nil, err
	}
	circuit, err := files.Read(artifacts.Circuit)
	if err != nil {
		return nil, err
	}
	key, err := files.Read(artifacts.Key)
	if err != nil {
		return nil, err
	}
	return prover.New(ctx, circuit, key)
}

func prove(ctx context.Context, p *prover.Prover, q question) (*semaphore.Proof, error) {
	who, err := prover.ParseIdentity(q.Secret)
	if err != nil {
		return nil, err
	}
	message, err := semaphore.ParseNumber(q.Message)
	if err != nil {
		return nil, err
	}
	scope, err := semaphore.ParseNumber(q.Scope)
	if err != nil {
		return nil, err
	}
	return p.Prove(ctx, &prover.Statement{Identity: who, Path: q.Path, Message: message, Scope: scope})
}
