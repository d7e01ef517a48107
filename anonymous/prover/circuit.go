//go:build !js

package prover

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Why a circuit is refused or yields no witness.
var (
	ErrCircuit = errors.New("prover: not a circuit")
	ErrAssert  = errors.New("prover: the circuit refuses the statement")
)

// maxPages bounds the circuit's memory, in pages of 64 KiB. It asks for 45.
const maxPages = 1024

// Circuit runs a circuit that circom 2 compiled to WebAssembly. It may be used
// by many at once: each witness is computed in a fresh instance.
type Circuit struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// CompileCircuit reads a circuit. It can reach nothing but its own memory, but
// it may compute for as long as it likes: stopping it from outside would slow
// every witness down fivefold, and the circuit in use is pinned by its digest.
func CompileCircuit(ctx context.Context, wasm []byte) (*Circuit, error) {
	c := &Circuit{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(maxPages))}
	if err := c.compile(ctx, wasm); err != nil {
		c.Close(ctx)
		return nil, fmt.Errorf("%w: %w", ErrCircuit, err)
	}
	return c, nil
}

func (c *Circuit) compile(ctx context.Context, wasm []byte) (err error) {
	// What circuits print may contain the secret, so it is dropped.
	nothing := func() {}
	if _, err = c.runtime.NewHostModuleBuilder("runtime").
		NewFunctionBuilder().WithFunc(func(code int32) { panic(exception(code)) }).Export("exceptionHandler").
		NewFunctionBuilder().WithFunc(nothing).Export("printErrorMessage").
		NewFunctionBuilder().WithFunc(nothing).Export("writeBufferMessage").
		NewFunctionBuilder().WithFunc(nothing).Export("showSharedRWMemory").
		Instantiate(ctx); err != nil {
		return err
	}
	c.module, err = c.runtime.CompileModule(ctx, wasm)
	return err
}

// Close frees the compiled circuit.
func (c *Circuit) Close(ctx context.Context) error { return c.runtime.Close(ctx) }

// Witness runs the circuit.
func (c *Circuit) Witness(ctx context.Context, signals []Signal) (Witness, error) {
	m, err := c.runtime.InstantiateModule(ctx, c.module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, circuitError(err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	run := instance{ctx: ctx, module: m, functions: make(map[string]api.Function)}
	w := run.witness(signals)
	if run.err != nil {
		return nil, circuitError(run.err)
	}
	return ParseWitness(w)
}

// instance calls a circuit's exports and keeps the first error.
type instance struct {
	ctx       context.Context
	module    api.Module
	functions map[string]api.Function // each has a stack of its own
	err       error
}

func (i *instance) witness(signals []Signal) []byte {
	if i.call("getVersion") != 2 || i.call("getFieldNumLen32") != 8 || i.call("getInputSize") != uint32(len(signals)) {
		i.fail(errors.New("another interface"))
	}
	shared := i.call("getSharedRWMemoryStart")
	i.call("init", 1)
	for _, s := range signals {
		for j, word := range s.Words {
			i.call("writeSharedRWMemory", uint32(j), word)
		}
		i.call("setInputSignal", s.High, s.Low, s.Place)
	}
	n := i.call("getWitnessSize")
	if n > maxWires {
		i.fail(errors.New("too many wires"))
	}
	var w []byte
	for wire := uint32(0); wire < n && i.err == nil; wire++ {
		i.call("getWitness", wire)
		b, ok := i.module.Memory().Read(shared, 32)
		if !ok {
			i.fail(errors.New("shared memory out of bounds"))
		}
		w = append(w, b...)
	}
	return w
}

func (i *instance) fail(err error) {
	if i.err == nil {
		i.err = err
	}
}

func (i *instance) call(name string, params ...uint32) uint32 {
	if i.fail(i.ctx.Err()); i.err != nil {
		return 0
	}
	f, known := i.functions[name]
	if !known {
		f = i.module.ExportedFunction(name)
		if f == nil || i.module.Memory() == nil || !takes(f, len(params)) {
			i.fail(fmt.Errorf("no function %s", name))
			return 0
		}
		i.functions[name] = f
	}
	var stack [4]uint64
	for j, p := range params {
		stack[j] = uint64(p)
	}
	if err := f.CallWithStack(i.ctx, stack[:]); err != nil {
		i.fail(err)
	}
	return uint32(stack[0])
}

// takes reports whether a function takes n numbers of 32 bits and returns at
// most one.
func takes(f api.Function, n int) bool {
	params, results := f.Definition().ParamTypes(), f.Definition().ResultTypes()
	for _, t := range append(params, results...) {
		if t != api.ValueTypeI32 {
			return false
		}
	}
	return len(params) == n && len(results) <= 1
}

// exception is the number by which a circuit says why it stops.
type exception int32

const assertFailed exception = 4

func (e exception) Error() string { return fmt.Sprintf("exception %d", int32(e)) }

func circuitError(err error) error {
	var e exception
	switch {
	case errors.As(err, &e) && e == assertFailed:
		return ErrAssert
	case errors.As(err, &e):
		return fmt.Errorf("%w: %w", ErrCircuit, e)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fmt.Errorf("%w: %w", ErrCircuit, err)
}
