package icp

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func TestTreesOfAnotherFormAreRefused(t *testing.T) {
	pruned := func(size int) string { return "\x82\x04\x58" + string(rune(size)) + string(make([]byte, size)) }
	for name, test := range map[string]struct {
		cbor string
		ok   bool
	}{
		"empty":                 {"\x81\x00", true},
		"pruned":                {pruned(32), true},
		"pruned, a byte short":  {pruned(31), false},
		"pruned, a byte more":   {pruned(33), false},
		"nothing":               {"\x80", false},
		"another kind":          {"\x81\x05", false},
		"a kind below zero":     {"\x81\x20", false},
		"an empty with more":    {"\x82\x00\x00", false},
		"a fork of one":         {"\x82\x01\x81\x00", false},
		"a fork of numbers":     {"\x83\x01\x00\x00", false},
		"a label of text":       {"\x83\x02\x61a\x81\x00", false},
		"a label of no tree":    {"\x82\x02\x41a", false},
		"a leaf of numbers":     {"\x82\x03\x81\x00", false},
		"a leaf of text":        {"\x82\x03\x61a", false},
		"a leaf":                {"\x82\x03\x41a", true},
		"a map":                 {"\xa0", false},
		"of indefinite length":  {"\x9f\x00\xff", false},
		"tagged inside":         {"\x83\x02\x41a\xd9\xd9\xf7\x81\x00", false},
		"something behind it":   {"\x81\x00\x00", false},
		"cut":                   {"\x83\x01\x81\x00", false},
		"a leaf as long as GiB": {"\x82\x03\x5a\x7f\xff\xff\xff", false},
	} {
		v, err := readCBOR([]byte(test.cbor))
		if err == nil {
			_, err = parseTree(v)
		}
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The example of the interface specification, section "Certification": its root
// hash, and what of it is found.
func TestTheSpecificationsTree(t *testing.T) {
	b, err := hex.DecodeString("8301830183024161830183018302417882034568656c6c6f810083024179820345776f726c6483024162820344676f6f648301830241638100830241648203476d6f726e696e67")
	if err != nil {
		t.Fatal(err)
	}
	v, err := readCBOR(b)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parseTree(v)
	if err != nil {
		t.Fatal(err)
	}
	if d := hex.EncodeToString(tree.digest()); d != "eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0" {
		t.Errorf("digest %s", d)
	}
	if value, ok := tree.leaf([]byte("a"), []byte("y")); !ok || !bytes.Equal(value, []byte("world")) {
		t.Errorf("%q", value)
	}
	for _, path := range [][]string{{"a"}, {"c"}, {"a", "z"}, {"d", "x"}, {"e"}} {
		var p [][]byte
		for _, s := range path {
			p = append(p, []byte(s))
		}
		if value, ok := tree.leaf(p...); ok {
			t.Errorf("%v: %q", path, value)
		}
	}
}
