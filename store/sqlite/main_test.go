package sqlite

import (
	"testing"

	"go.uber.org/goleak"
)

// REL-07: a closed store leaves no goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
