package prover

import (
	"encoding/binary"
	"fmt"
)

// The sections of a Groth16 key in the iden3 binary format.
const (
	sectionProtocol = iota + 1
	sectionHeader
	sectionPublic
	sectionCoefficients
	sectionA
	sectionB1
	sectionB2
	sectionC
	sectionH
	sectionContributions // the ceremony's record; the digest vouches for it
	sections             = sectionContributions
)

const keyVersion, protocolGroth16 = 1, 1

// split reads the container: each section once, none unknown, nothing after.
// The sections are views of the file, so that no length can ask for memory.
func split(file []byte) (parts [sections + 1][]byte, err error) {
	r := reader{rest: file}
	if string(r.take(4)) != "zkey" {
		return parts, fmt.Errorf("%w: not a zkey file", ErrKey)
	}
	if v := r.uint32(); v != keyVersion {
		return parts, fmt.Errorf("%w: version %d", ErrKey, v)
	}
	if n := r.uint32(); n != sections {
		return parts, fmt.Errorf("%w: %d sections", ErrKey, n)
	}
	for range sections {
		id, size := r.uint32(), r.uint64()
		if r.failed || id < 1 || id > sections || parts[id] != nil {
			return parts, fmt.Errorf("%w: section %d is unknown, repeated or cut off", ErrKey, id)
		}
		if size > uint64(len(r.rest)) {
			return parts, fmt.Errorf("%w: section %d is longer than the file", ErrKey, id)
		}
		parts[id] = r.take(int(size))
	}
	if r.failed || len(r.rest) != 0 {
		return parts, fmt.Errorf("%w: bytes after the last section", ErrKey)
	}
	return parts, nil
}

// reader takes fields from bytes. What is taken beyond the end is zero, and
// failed says so.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
		return make([]byte, min(n, 64))
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) uint64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
