//go:build js && wasm

// Command wasm is the prover for browsers: worker.js drives it. It offers, as
// globalThis.prover,
//
//	load(circuit, key)                 check both files, read the key
//	identity()                         {secret, commitment}
//	commitment(secret)                 the commitment of a secret
//	path(place)                        {index, siblings}, of a group that was downloaded and signed
//	signals(statement)                 what goes into the circuit, 11 words of 32 bits a signal
//	prove(statement, witness, progress) the proof, verified
//	steps                              how often progress is called
//
// where a place is {root, size, pageRoots, page, members, commitment}, root and
// size signed, members those of the page with that number; a statement is
// {secret, index, siblings, message, scope}; and all elements of the field are in
// decimal. Each returns {value} or {error}, a text.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
)

func main() {
	js.Global().Set("prover", map[string]any{
		"load":       export(2, load),
		"identity":   export(0, identity),
		"commitment": export(1, commitment),
		"path":       export(1, path),
		"signals":    export(1, signals),
		"prove":      export(3, prove),
		"steps":      prover.Steps,
	})
	select {}
}

var errInput = errors.New("prover: the call's arguments are not what they should be")

// export makes a function callable. A panic must not end the program, which
// holds the key.
func export(params int, f func([]js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) (answer any) {
		defer func() {
			if r := recover(); r != nil {
				answer = map[string]any{"error": fmt.Sprint("prover: ", r)}
			}
		}()
		if len(args) != params {
			return map[string]any{"error": errInput.Error()}
		}
		value, err := f(args)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{"value": value}
	})
}

var key *prover.Key

func load(args []js.Value) (any, error) {
	for i, name := range []string{artifacts.Circuit, artifacts.Key} {
		file, err := contents(args[i])
		if err != nil {
			return nil, err
		}
		want, err := artifacts.Digest(name)
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != want {
			return nil, fmt.Errorf("%w: %s", artifacts.ErrDigest, name)
		}
		if name == artifacts.Key {
			if key, err = prover.ParseKey(file); err != nil {
				return nil, err
			}
		}
	}
	return true, nil
}

func identity([]js.Value) (any, error) {
	who, err := prover.NewIdentity()
	if err != nil {
		return nil, err
	}
	return map[string]any{"secret": who.Secret(), "commitment": who.Commitment()}, nil
}

func commitment(args []js.Value) (any, error) {
	secret, err := text(args[0])
	if err != nil {
		return nil, err
	}
	who, err := prover.ParseIdentity(secret)
	if err != nil {
		return nil, err
	}
	return who.Commitment(), nil
}

func signals(args []js.Value) (any, error) {
	s, err := statement(args[0])
	if err != nil {
		return nil, err
	}
	all, err := s.Signals()
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, s := range all {
		b = binary.LittleEndian.AppendUint32(b, s.High)
		b = binary.LittleEndian.AppendUint32(b, s.Low)
		b = binary.LittleEndian.AppendUint32(b, s.Place)
		for _, w := range s.Words {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
	}
	out := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(out, b)
	return js.Global().Get("Uint32Array").New(out.Get("buffer")), nil
}

func prove(args []js.Value) (any, error) {
	if key == nil {
		return nil, errors.New("prover: not loaded")
	}
	s, err := statement(args[0])
	if err != nil {
		return nil, err
	}
	b, err := contents(args[1])
	if err != nil {
		return nil, err
	}
	w, err := prover.ParseWitness(b)
	if err != nil {
		return nil, err
	}
	p, err := key.Prove(context.Background(), s, w, func(done int) { args[2].Invoke(done) })
	if err != nil {
		return nil, err
	}
	points := make([]any, len(p.Points))
	for i, c := range p.Points {
		points[i] = c
	}
	return map[string]any{
		"merkleTreeDepth": p.MerkleTreeDepth,
		"merkleTreeRoot":  p.MerkleTreeRoot,
		"nullifier":       p.Nullifier,
		"message":         p.Message,
		"scope":           p.Scope,
		"points":          points,
	}, nil
}

func statement(v js.Value) (*prover.Statement, error) {
	if v.Type() != js.TypeObject || v.Get("index").Type() != js.TypeNumber || v.Get("siblings").Type() != js.TypeObject {
		return nil, errInput
	}
	secret, err := text(v.Get("secret"))
	if err != nil {
		return nil, err
	}
	s := new(prover.Statement)
	if s.Identity, err = prover.ParseIdentity(secret); err != nil {
		return nil, err
	}
	index := v.Get("index").Float()
	if !(index >= 0 && index < 1<<semaphore.Depth) || index != float64(uint64(index)) {
		return nil, prover.ErrPath
	}
	s.Path.Index = uint32(index)
	siblings := v.Get("siblings")
	if n := siblings.Length(); n > semaphore.Depth {
		return nil, prover.ErrPath
	}
	for i := range siblings.Length() {
		decimal, err := text(siblings.Index(i))
		if err != nil {
			return nil, err
		}
		n, err := semaphore.ParseScalar(decimal)
		if err != nil {
			return nil, err
		}
		s.Path.Siblings = append(s.Path.Siblings, n)
	}
	if s.Message, err = number(v.Get("message")); err != nil {
		return nil, err
	}
	s.Scope, err = number(v.Get("scope"))
	return s, err
}

func number(v js.Value) (n [32]byte, err error) {
	s, err := text(v)
	if err != nil {
		return n, err
	}
	return semaphore.ParseNumber(s)
}

func text(v js.Value) (string, error) {
	if v.Type() != js.TypeString {
		return "", errInput
	}
	return v.String(), nil
}

func contents(v js.Value) ([]byte, error) {
	if !v.InstanceOf(js.Global().Get("Uint8Array")) {
		return nil, errInput
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b, nil
}
