package session

import "slices"

// slab keeps byte records in slots of a few sizes, on pages that hold no
// pointer: a collector that marks a million sessions finds nothing to walk.
// It belongs to one goroutine at a time.
type slab struct {
	pages   *pages
	classes [slabClasses]slabClass
}

// slabClass is the slots of one size.
type slabClass struct {
	pages [][]byte
	taken uint32   // slots ever handed out
	free  []uint32 // slots given back
}

// slot names a place in a slab: its class in the low bits, its number above.
type slot uint32

const (
	slabStep    = 8 // between the sizes of small slots
	slabSmall   = 256
	slabClasses = slabSmall/slabStep + 8 // then by doubling, to 64 KiB
	slabPage    = 16 << 10
	classBits   = 6
)

// slabClassOf returns the class of a record's size. A session's is far below the
// largest, since its texts and keys are bounded.
func slabClassOf(size int) int {
	if size <= slabSmall {
		return (max(size, 1) - 1) / slabStep
	}
	class := slabSmall / slabStep
	for wide := 2 * slabSmall; wide < size; wide *= 2 {
		class++
	}
	return class
}

func slabSize(class int) int {
	if small := slabSmall / slabStep; class >= small {
		return 2 * slabSmall << (class - small)
	}
	return (class + 1) * slabStep
}

func (s slot) class() int     { return int(s & (1<<classBits - 1)) }
func (s slot) number() uint32 { return uint32(s >> classBits) }

// put keeps a copy of the record.
func (s *slab) put(record []byte) slot {
	class := slabClassOf(len(record))
	c := &s.classes[class]
	var number uint32
	if last := len(c.free) - 1; last >= 0 {
		number, c.free = c.free[last], c.free[:last]
	} else {
		number = c.taken
		c.taken++
		if int(number)%slabPerPage(class) == 0 {
			c.pages = append(slices.Grow(c.pages, 1), s.pages.take(slabPerPage(class)*slabSize(class)))
		}
	}
	at := slot(number<<classBits) | slot(class)
	copy(s.at(at), record)
	return at
}

func slabPerPage(class int) int { return max(1, slabPage/slabSize(class)) }

// at returns a slot's bytes, of which the record is the beginning.
func (s *slab) at(at slot) []byte {
	class, number := at.class(), int(at.number())
	size, perPage := slabSize(class), slabPerPage(class)
	from := number % perPage * size
	return s.classes[class].pages[number/perPage][from : from+size : from+size]
}

// drop gives a slot back.
func (s *slab) drop(at slot) {
	c := &s.classes[at.class()]
	clear(s.at(at)) // a seed leaves no trace
	c.free = append(c.free, at.number())
}
