package tree

import (
	"testing"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// What the tree and its pages compute is tested where groups are, in package
// anonymous.
func TestAFullTreeHasTheDepthOfProofs(t *testing.T) {
	for size, want := range map[int]int{0: 0, 1: 0, 2: 1, 3: 2, PageSize: pageLevel, PageSize + 1: pageLevel + 1, MaxMembers: semaphore.Depth} {
		if got := depthOf(size); got != want {
			t.Errorf("%d leaves have depth %d, want %d", size, got, want)
		}
	}
}
