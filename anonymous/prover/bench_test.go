package prover

import (
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	node "github.com/mentalverse/session/test/semaphore"
)

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
	signals := must(statementIn(b, groupWith(b, who, 500, 1001), who, 500).Signals())(b)
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
	s := statementIn(b, groupWith(b, who, 500, 1001), who, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Prove(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBeside proves natively, in the browser's worker under Node and by
// snarkjs on one thread, in one run: milliseconds of wall and processor time.
// Run it with -benchtime 1x.
func BenchmarkBeside(b *testing.B) {
	const times = 5
	who := newIdentity(b)
	s := statementIn(b, groupWith(b, who, 500, 1001), who, 500)
	report := func(b *testing.B, wall, cpu []float64) {
		slices.Sort(wall)
		slices.Sort(cpu)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(wall[len(wall)/2], "ms")
		if len(cpu) > 0 {
			b.ReportMetric(cpu[len(cpu)/2], "cpu-ms")
		}
	}
	b.Run("native", func(b *testing.B) {
		p := testProver(b)
		for b.Loop() {
			var wall []float64
			for range times {
				began := time.Now()
				if _, err := p.Prove(b.Context(), s); err != nil {
					b.Fatal(err)
				}
				wall = append(wall, float64(time.Since(began).Microseconds())/1000)
			}
			report(b, wall, nil)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapSys)/(1<<20), "heap-MiB")
	})
	b.Run("browser", func(b *testing.B) {
		calls := append([]call{start}, slices.Repeat([]call{statementCall(s)}, times)...)
		for b.Loop() {
			var wall, cpu []float64
			for _, a := range inWorker(b, builtIn(b), calls...)[1:] {
				wall, cpu = append(wall, a.MS), append(cpu, a.CPU)
			}
			report(b, wall, cpu)
		}
	})
	b.Run("snarkjs", func(b *testing.B) {
		circuit, key, _ := written(b)
		for b.Loop() {
			var answers []struct{ MS, CPU float64 }
			node.Run(b, &answers, nil, "bench.mjs", circuit, key, strconv.Itoa(times))
			var wall, cpu []float64
			for _, a := range answers {
				wall, cpu = append(wall, a.MS), append(cpu, a.CPU)
			}
			report(b, wall, cpu)
		}
	})
}
