//go:build js && wasm

package main

import (
	"slices"
	"syscall/js"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/anonymous/tree"
)

// path holds the page that has the commitment against the signed root and size,
// and returns the path of its place.
func path(args []js.Value) (any, error) {
	v := args[0]
	if v.Type() != js.TypeObject {
		return nil, errInput
	}
	size, err := whole(v.Get("size"), tree.MaxMembers)
	if err != nil {
		return nil, err
	}
	page, err := whole(v.Get("page"), tree.MaxMembers/tree.PageSize)
	if err != nil {
		return nil, err
	}
	var root, own []fr.Element
	for _, read := range []struct {
		from js.Value
		to   *[]fr.Element
	}{{v.Get("root"), &root}, {v.Get("commitment"), &own}} {
		s, err := text(read.from)
		if err != nil {
			return nil, err
		}
		if *read.to, err = tree.ParseMembers([]string{s}); err != nil {
			return nil, err
		}
	}
	roots, err := elements(v.Get("pageRoots"))
	if err != nil {
		return nil, err
	}
	members, err := elements(v.Get("members"))
	if err != nil {
		return nil, err
	}
	check, err := tree.CheckPages(root[0], size, roots)
	if err != nil {
		return nil, err
	}
	found, err := check.Path(page, slices.Index(members, own[0]), members)
	if err != nil {
		return nil, err
	}
	siblings := make([]any, len(found.Siblings))
	for i, s := range found.Siblings {
		siblings[i] = semaphore.FormatScalar(s)
	}
	return map[string]any{"index": int(found.Index), "siblings": siblings}, nil
}

func elements(v js.Value) ([]fr.Element, error) {
	if !v.InstanceOf(js.Global().Get("Array")) {
		return nil, errInput
	}
	decimals := make([]string, min(v.Length(), tree.PageSize+1)) // one more is refused
	for i := range decimals {
		var err error
		if decimals[i], err = text(v.Index(i)); err != nil {
			return nil, err
		}
	}
	return tree.ParseMembers(decimals)
}

// whole reads a whole number from 0 to most.
func whole(v js.Value, most int) (int, error) {
	if v.Type() != js.TypeNumber {
		return 0, errInput
	}
	f := v.Float()
	if !(f >= 0 && f <= float64(most)) || f != float64(int(f)) {
		return 0, errInput
	}
	return int(f), nil
}
