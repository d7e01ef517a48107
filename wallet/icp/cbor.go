package icp

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// Bounds of CBOR from outside. A hash tree nests one array a level, which the
// library's default of 32 is too shallow for.
const (
	maxCBOR      = 64 << 10
	maxCBORDepth = 256
	maxCBORItems = 8192 // of an array: the ranges of one subnet
)

var errCBOR = errors.New("icp: not CBOR of the strict kind")

// strictCBOR takes definite lengths only, no tags, no repeated keys, text as
// names, and gives map[string]any, []any, []byte, string and uint64: what a
// value is made of is checked by whoever reads it.
var strictCBOR = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: maxCBORDepth, MaxArrayElements: maxCBORItems, MaxMapPairs: 16,
		DefaultMapType: reflect.TypeFor[map[string]any](), UTF8: cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

// selfDescribed is tag 55799, which the Internet Computer allows before every
// value of its own, and nowhere else (IC interface specification, "CBOR").
var selfDescribed = []byte{0xd9, 0xd9, 0xf7}

// readCBOR reads one whole value.
func readCBOR(b []byte) (v any, err error) {
	if len(b) > maxCBOR {
		return nil, errCBOR
	}
	b, _ = bytes.CutPrefix(b, selfDescribed)
	if err := strictCBOR.Unmarshal(b, &v); err != nil {
		return nil, errors.Join(errCBOR, err)
	}
	return v, nil
}

// readMap reads one whole map. Whoever asks it for n fields and finds n has
// seen all of it.
func readMap(b []byte) (map[string]any, error) {
	v, err := readCBOR(b)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errCBOR
	}
	return m, nil
}
