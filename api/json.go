package api

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of a value that Unmarshal reads.
const maxDepth = 8

// Unmarshal reads one JSON value from outside, strictly: valid UTF-8, no
// repeated, unknown or differently cased names, nothing after the value, at
// most eight levels deep (RFC 8259; RFC 7493 for the repeated names). The
// error is safe to show: it names the place and never repeats the input's
// values.
func Unmarshal(data []byte, v any) error {
	if bytes.Count(data, []byte{'{'})+bytes.Count(data, []byte{'['}) > maxDepth {
		if err := checkDepth(data); err != nil {
			return err
		}
	}
	if jsontext.Value(data).Kind() == 'n' {
		return errors.New("null where an object is wanted") // it would pass as an empty one
	}
	err := json.Unmarshal(data, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return fmt.Errorf("a name is given twice at byte %d", syntactic.ByteOffset)
		}
		return fmt.Errorf("malformed JSON at byte %d", syntactic.ByteOffset)
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Errorf("an unknown field at byte %d", semantic.ByteOffset)
		}
		return fmt.Errorf("a value of the wrong type at byte %d", semantic.ByteOffset)
	}
	return errors.New("malformed JSON")
}

func checkDepth(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		switch _, err := d.ReadToken(); {
		case err != nil:
			return nil // its end, or malformed: Unmarshal tells which and where
		case d.StackDepth() > maxDepth:
			return fmt.Errorf("JSON nested deeper than %d levels", maxDepth)
		}
	}
}
