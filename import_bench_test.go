package session_test

import (
	"fmt"
	"iter"
	"testing"

	session "github.com/mentalverse/session"
)

// licences yields n lines of n people, each with an account of their own.
func licences(tb testing.TB, n int, status string) iter.Seq2[session.ImportRow, error] {
	tb.Helper()
	return func(yield func(session.ImportRow, error) bool) {
		for i := range n {
			row := session.ImportRow{
				Line: i + 2, Number: fmt.Sprintf("PSY-%06d", i), Authority: "Board of Examples", Jurisdiction: "DE-BY", Status: status,
				ValidUntil: "2030-12-31", Person: fmt.Sprint("p", i),
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// BenchmarkImport brings 100,000 licences into an empty registry, and then the
// same file again; and as many at once as may be.
func BenchmarkImport(b *testing.B) {
	for _, atOnce := range []bool{false, true} {
		b.Run(map[bool]string{false: "batches", true: "all or nothing"}[atOnce], func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				h := newHouse(b)
				for _, again := range []string{"", "again-"} {
					b.StartTimer()
					before := b.Elapsed()
					r, err := h.ImportProfessionals(b.Context(), licences(b, map[bool]int{false: session.MaxImportLines, true: session.MaxImportAtOnce}[atOnce], "verified"), atOnce, operator)
					took := b.Elapsed() - before
					b.StopTimer()
					if err != nil || !r.Committed || r.Count(session.ImportRefused) > 0 {
						b.Fatalf("%v, %d refused", err, r.Count(session.ImportRefused))
					}
					b.ReportMetric(took.Seconds(), again+"s")
				}
				b.StartTimer()
			}
		})
	}
}
