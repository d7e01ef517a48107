package artifacts

import (
	_ "embed"
	"strings"
)

// The pins, as sha256sum writes them; fetch and rebuild read the same files.
//
//go:embed semaphore-20.sha256
var semaphoreSums string

var digests = parse(semaphoreSums + proverSums)

func parse(sums string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(sums) {
		if digest, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			m[name] = digest
		}
	}
	return m
}
