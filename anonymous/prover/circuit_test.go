package prover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"github.com/mentalverse/session/anonymous/semaphore"
)

func TestBadCircuits(t *testing.T) {
	good := must(circuitFile())(t)
	empty := []byte("\x00asm\x01\x00\x00\x00")
	who := newIdentity(t)
	signals := must(statementIn(t, groupWith(t, who, 0, 2), who, 0).Signals())(t)
	flip := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 0x40
		return b
	}
	for name, wasm := range map[string][]byte{
		"nothing":          nil,
		"cut off":          good[:len(good)/2],
		"a key":            must(keyFile())(t)[:1000],
		"another magic":    flip(0),
		"another version":  flip(4),
		"a flipped length": flip(9),
		"a huge section":   append(bytes.Clone(empty), 1, 0xff, 0xff, 0xff, 0xff, 0x0f),
		"too much memory":  append(bytes.Clone(empty), 5, 5, 1, 0, 0x80, 0x80, 4), // 65,536 pages
		"reaching outside": append(bytes.Clone(empty), 1, 4, 1, 0x60, 0, 0, 2, 10, 1, 3, 'e', 'n', 'v', 2, 'g', 'o', 0, 0),
		"without exports":  empty,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := CompileCircuit(t.Context(), wasm)
			if err == nil {
				defer c.Close(t.Context())
				_, err = c.Witness(t.Context(), signals)
			}
			if !errors.Is(err, ErrCircuit) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheCircuitRefusesWhatCannotBe(t *testing.T) {
	c := must(compiled())(t)
	who := newIdentity(t)
	good := must(statementIn(t, groupWith(t, who, 0, 2), who, 0).Signals())(t)
	set := func(i int, n *big.Int) []Signal {
		s := append([]Signal(nil), good...)
		s[i].Words = words(number(n))
		return s
	}
	const secret = 0
	for name, try := range map[string]struct {
		signals []Signal
		want    error
	}{
		"the secret l":     {set(secret, subgroupOrder()), ErrAssert},
		"too few signals":  {good[1:], ErrCircuit},
		"too many signals": {append(good[:len(good):len(good)], good[0]), ErrCircuit},
		"an unknown name":  {append(good[:len(good)-1:len(good)-1], Signal{High: 1}), ErrCircuit},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Witness(t.Context(), try.signals)
			if !errors.Is(err, try.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := c.Witness(t.Context(), good); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSignalsAreFNV(t *testing.T) {
	who := newIdentity(t)
	s := must(statementIn(t, groupWith(t, who, 0, 1), who, 0).Signals())(t)
	if len(s) != 5+semaphore.Depth {
		t.Fatalf("%d signals", len(s))
	}
	// FNV-1a of "secret", by its definition
	h := uint64(0xcbf29ce484222325)
	for _, c := range []byte("secret") {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	if got := binary.BigEndian.Uint64(append(binary.BigEndian.AppendUint32(nil, s[0].High), binary.BigEndian.AppendUint32(nil, s[0].Low)...)); got != h {
		t.Errorf("%x, want %x", got, h)
	}
}
