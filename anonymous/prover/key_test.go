package prover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// at returns where a section's content begins in a key file, and its length.
func at(file []byte, section uint32) (start, size int) {
	for pos := 12; ; {
		id, n := binary.LittleEndian.Uint32(file[pos:]), int(binary.LittleEndian.Uint64(file[pos+4:]))
		if pos += 12; id == section {
			return pos, n
		}
		pos += n
	}
}

// header fields, from the section's beginning
const (
	orderAt  = 4
	wiresAt  = 72
	publicAt = 76
	domainAt = 80
	alphaAt  = 84
	beta1At  = alphaAt + sizeG1
	beta2At  = beta1At + sizeG1
	gammaAt  = beta2At + sizeG2
	deltaAt  = gammaAt + sizeG2
)

func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

func TestBadKeys(t *testing.T) {
	good := must(keyFile())(t)
	zero := make([]byte, sizeG2)
	huge := bytes.Repeat([]byte{0xff}, 32)
	in := func(section uint32, change func([]byte)) func([]byte) []byte {
		return func(b []byte) []byte {
			start, size := at(b, section)
			change(b[start : start+size])
			return b
		}
	}
	for name, breaks := range map[string]func([]byte) []byte{
		"empty":             func(b []byte) []byte { return nil },
		"magic":             func(b []byte) []byte { b[0] = 'w'; return b },
		"version":           func(b []byte) []byte { put32(b[4:], 2); return b },
		"fewer sections":    func(b []byte) []byte { put32(b[8:], 9); return b },
		"more sections":     func(b []byte) []byte { put32(b[8:], math.MaxUint32); return b },
		"unknown section":   func(b []byte) []byte { put32(b[12:], 11); return b },
		"section 0":         func(b []byte) []byte { put32(b[12:], 0); return b },
		"repeated section":  func(b []byte) []byte { put32(b[12:], sectionHeader); return b },
		"huge section":      func(b []byte) []byte { binary.LittleEndian.PutUint64(b[16:], math.MaxUint64); return b },
		"section past 2^63": func(b []byte) []byte { binary.LittleEndian.PutUint64(b[16:], 1<<63); return b },
		"a byte behind":     func(b []byte) []byte { return append(b, 0) },
		"a byte short":      func(b []byte) []byte { return b[:len(b)-1] },
		"PLONK":             in(sectionProtocol, func(b []byte) { put32(b, 2) }),
		"another field":     in(sectionHeader, func(b []byte) { b[orderAt] ^= 1 }),
		"longer numbers":    in(sectionHeader, func(b []byte) { put32(b, 33) }),
		"more wires":        in(sectionHeader, func(b []byte) { put32(b[wiresAt:], 6455) }),
		"2^32 wires":        in(sectionHeader, func(b []byte) { put32(b[wiresAt:], math.MaxUint32) }),
		"no wires":          in(sectionHeader, func(b []byte) { put32(b[wiresAt:], 0) }),
		"all public":        in(sectionHeader, func(b []byte) { put32(b[publicAt:], 6454) }),
		"2^32 public":       in(sectionHeader, func(b []byte) { put32(b[publicAt:], math.MaxUint32) }),
		"odd domain":        in(sectionHeader, func(b []byte) { put32(b[domainAt:], 8191) }),
		"no domain":         in(sectionHeader, func(b []byte) { put32(b[domainAt:], 0) }),
		"huge domain":       in(sectionHeader, func(b []byte) { put32(b[domainAt:], 1<<31) }),
		"α off the curve":   in(sectionHeader, func(b []byte) { b[alphaAt] ^= 1 }),
		"α beyond p":        in(sectionHeader, func(b []byte) { copy(b[alphaAt:], huge) }),
		"α infinite":        in(sectionHeader, func(b []byte) { copy(b[alphaAt:], zero[:sizeG1]) }),
		"δ₁ infinite":       in(sectionHeader, func(b []byte) { copy(b[deltaAt:], zero[:sizeG1]) }),
		"δ₂ infinite":       in(sectionHeader, func(b []byte) { copy(b[deltaAt+sizeG1:], zero) }),
		"γ off the curve":   in(sectionHeader, func(b []byte) { b[gammaAt+100] ^= 1 }),
		"β outside":         in(sectionHeader, func(b []byte) { copy(b[beta2At:], outside(t)) }),
		"public infinite":   in(sectionPublic, func(b []byte) { copy(b[sizeG1:], zero[:sizeG1]) }),
		"coefficients":      in(sectionCoefficients, func(b []byte) { put32(b, math.MaxUint32) }),
		"third matrix":      in(sectionCoefficients, func(b []byte) { put32(b[4:], 2) }),
		"constraint":        in(sectionCoefficients, func(b []byte) { put32(b[8:], 8192) }),
		"wire":              in(sectionCoefficients, func(b []byte) { put32(b[12:], 6454) }),
		"coefficient":       in(sectionCoefficients, func(b []byte) { copy(b[16:], huge) }),
		"a point of A":      in(sectionA, func(b []byte) { b[5*sizeG1] ^= 1 }),
		"a point of B1":     in(sectionB1, func(b []byte) { copy(b[len(b)-sizeG1:], huge) }),
		"a point of B2":     in(sectionB2, func(b []byte) { copy(b, huge) }),
		"a point of C":      in(sectionC, func(b []byte) { b[len(b)-1] ^= 0x40 }),
		"a point of H":      in(sectionH, func(b []byte) { b[0] ^= 1 }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKey(breaks(bytes.Clone(good)))
			if !errors.Is(err, ErrKey) {
				t.Fatalf("got %v", err)
			}
			if text := err.Error(); len(text) > 120 || !strings.HasPrefix(text, "prover: not a proving key: ") {
				t.Errorf("not a clear error: %s", text)
			}
		})
	}
}

// In these keys everything else is in order, so that only the one check refuses
// them.
func TestKeysBadInOneThing(t *testing.T) {
	small := smallKey(t)
	contributions, size := at(small, sectionContributions)
	repeated := bytes.Clone(small)
	put32(repeated[contributions-12:], sectionProtocol)
	if size != 4 {
		t.Fatal("not as long as the protocol's section")
	}
	put32(repeated[contributions:], protocolGroth16)

	header, _ := at(small, sectionHeader)
	points, size := at(small, sectionH)
	odd := bytes.Clone(small[:points+size])
	put32(odd[header+domainAt:], 3)
	binary.LittleEndian.PutUint64(odd[points-8:], uint64(size+sizeG1))
	odd = append(odd, small[points:points+sizeG1]...)
	odd = append(odd, small[points+size:]...)

	for want, file := range map[string][]byte{"section 1 is unknown, repeated": repeated, "in 3 constraints": odd} {
		if _, err := ParseKey(file); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// outside returns a point of the twist, as keys hold points, that the group
// does not contain: few do.
func outside(t *testing.T) (b []byte) {
	var p bn254.G2Affine
	for x := uint64(1); ; x++ {
		p.X.A0.SetUint64(x)
		// y² = x³ + b, b from a point that is known
		_, _, _, g := bn254.Generators()
		b, y := g.Y, p.X
		b.Square(&b)
		cube := g.X
		cube.Square(&g.X).Mul(&cube, &g.X)
		b.Sub(&b, &cube)
		y.Square(&p.X).Mul(&y, &p.X).Add(&y, &b)
		if y.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&y)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			break
		}
	}
	for _, e := range []fp.Element{p.X.A0, p.X.A1, p.Y.A0, p.Y.A1} {
		for _, w := range e {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	if r := (reader{rest: b}); r.g2() != p || r.failed {
		t.Fatal("written and read differently")
	}
	return b
}

func TestEveryCutOffKeyIsRefused(t *testing.T) {
	good := must(keyFile())(t)
	for n := 0; n < len(good); n += 1 + n/3 {
		if _, err := ParseKey(good[:n:n]); !errors.Is(err, ErrKey) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

// A key that parses but is not the ceremony's makes no proof.
func TestADamagedKeyProvesNothing(t *testing.T) {
	good := must(keyFile())(t)
	who := newIdentity(t)
	s := statementIn(t, groupWith(t, who, 1, 3), who, 1)
	w := must(must(compiled())(t).Witness(t.Context(), must(s.Signals())(t)))(t)
	for _, section := range []uint32{sectionPublic, sectionA, sectionB1, sectionB2, sectionC, sectionH} {
		file := bytes.Clone(good)
		start, size := at(file, section)
		each := sizeG1
		if section == sectionB2 {
			each = sizeG2
		}
		// Change two neighbours that differ.
		for i := start; i+2*each <= start+size; i += each {
			a, b := file[i:i+each], file[i+each:i+2*each]
			if !bytes.Equal(a, b) && !bytes.Equal(a, make([]byte, each)) && !bytes.Equal(b, make([]byte, each)) {
				c := bytes.Clone(a)
				copy(a, b)
				copy(b, c)
				break
			}
		}
		k := must(ParseKey(file))(t)
		if _, err := k.Prove(t.Context(), s, w, nil); !errors.Is(err, ErrUnproven) {
			t.Errorf("section %d: %v", section, err)
		}
	}
}

// What a header claims asks for no memory: only bytes that are there do.
func TestKeysClaimNoMemory(t *testing.T) {
	file := bytes.Clone(must(keyFile())(t))
	start, _ := at(file, sectionHeader)
	put32(file[start+wiresAt:], maxWires)
	put32(file[start+domainAt:], maxDomain)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ParseKey(file)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 1<<20 {
		t.Errorf("%v, after %d bytes", err, grown)
	}
}

// FuzzParseKey starts from a key of two wires, so that changes reach far.
func FuzzParseKey(f *testing.F) {
	small := smallKey(f)
	f.Add(small)
	f.Add(small[:len(small)/2])
	f.Add([]byte("zkey"))
	f.Fuzz(func(t *testing.T, file []byte) {
		k, err := ParseKey(file)
		if err != nil {
			if !errors.Is(err, ErrKey) {
				t.Fatal(err)
			}
			return
		}
		if k.wires*32 > len(file) || int(k.domain.Cardinality)*sizeG1 > len(file) {
			t.Fatalf("%d wires and %d constraints from %d bytes", k.wires, k.domain.Cardinality, len(file))
		}
		// Whatever parses can be used: the outcome is a proof or an error.
		for _, first := range []uint64{0, 1, 2} {
			w := make(Witness, k.wires)
			for i := range w {
				w[i].SetUint64(first * uint64(i))
			}
			if p, err := k.prove(t.Context(), w, nil); (p == nil) == (err == nil) {
				t.Fatal(p, err)
			}
		}
	})
}

// smallKey cuts the ceremony's key down: its header, two wires, one of them
// public, and a domain of two.
func smallKey(t testing.TB) []byte {
	t.Helper()
	good := must(keyFile())(t)
	out := bytes.Clone(good[:12])
	for id := uint32(sectionProtocol); id <= sections; id++ {
		start, size := at(good, id)
		content := bytes.Clone(good[start : start+size])
		switch id {
		case sectionHeader:
			put32(content[wiresAt:], 3)
			put32(content[publicAt:], 1)
			put32(content[domainAt:], 2)
		case sectionPublic, sectionH:
			content = content[:2*sizeG1]
		case sectionCoefficients:
			content = content[:4+2*44]
			put32(content, 2)
			for i := range 2 {
				put32(content[4+44*i:], uint32(i))
				put32(content[8+44*i:], uint32(i))
				put32(content[12+44*i:], uint32(i))
			}
		case sectionA, sectionB1:
			content = content[:3*sizeG1]
		case sectionB2:
			content = content[:3*sizeG2]
		case sectionC:
			content = content[:sizeG1]
		case sectionContributions:
			content = content[:4]
		}
		out = binary.LittleEndian.AppendUint32(out, id)
		out = binary.LittleEndian.AppendUint64(out, uint64(len(content)))
		out = append(out, content...)
	}
	if _, err := ParseKey(out); err != nil {
		t.Fatal(err)
	}
	return out
}
