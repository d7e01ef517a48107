package session

import (
	"slices"
)

// Permissions is a set of permissions, sorted and without repeats. Make one
// with [NewPermissions].
type Permissions []string

// NewPermissions returns the set of the given names.
func NewPermissions(names ...string) Permissions {
	p := slices.Clone(names)
	slices.Sort(p)
	return Permissions(slices.Compact(p))
}

// Has reports whether the set holds the permission.
func (p Permissions) Has(name string) bool {
	_, ok := slices.BinarySearch(p, name)
	return ok
}

// Lacking returns those of want that the set does not hold, sorted; nil when
// it holds them all.
func (p Permissions) Lacking(want ...string) []string {
	var missing []string
	for _, name := range NewPermissions(want...) {
		if !p.Has(name) {
			missing = append(missing, name)
		}
	}
	return missing
}
