package prover

import "testing"

// The parts of a native proof, in a group of 1,001.

func BenchmarkParseKey(b *testing.B) {
	file := must(keyFile())(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseKey(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompileCircuit(b *testing.B) {
	file := must(circuitFile())(b)
	b.ReportAllocs()
	for b.Loop() {
		c, err := CompileCircuit(b.Context(), file)
		if err != nil {
			b.Fatal(err)
		}
		c.Close(b.Context())
	}
}

func BenchmarkWitness(b *testing.B) {
	c := must(compiled())(b)
	who := newIdentity(b)
	signals := must(statementIn(groupWith(b, who, 500, 1001), who, 500).Signals())(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Witness(b.Context(), signals); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	p := testProver(b)
	who := newIdentity(b)
	s := statementIn(groupWith(b, who, 500, 1001), who, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Prove(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
