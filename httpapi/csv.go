package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"unicode/utf8"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// maxCSVLine bounds a line of a file, in bytes with its end.
const maxCSVLine = 64 << 10

// csvColumns are the columns of a file of licences, by what they fill. Those
// behind the first five may be left out.
var csvColumns = []struct {
	name     string
	optional bool
	field    func(*session.ImportRow) *string
}{
	{"number", false, func(r *session.ImportRow) *string { return &r.Number }},
	{"authority", false, func(r *session.ImportRow) *string { return &r.Authority }},
	{"jurisdiction", false, func(r *session.ImportRow) *string { return &r.Jurisdiction }},
	{"status", false, func(r *session.ImportRow) *string { return &r.Status }},
	{"valid_until", false, func(r *session.ImportRow) *string { return &r.ValidUntil }},
	{"chain", true, func(r *session.ImportRow) *string { return &r.Chain }},
	{"address", true, func(r *session.ImportRow) *string { return &r.Address }},
	{"person", true, func(r *session.ImportRow) *string { return &r.Person }},
}

func refuseCSV(line int, format string, args ...any) error {
	return refuse(http.StatusBadRequest, api.InvalidRequest, fmt.Sprintf("Line %d: ", line)+fmt.Sprintf(format, args...)+".")
}

// readCSV yields the rows of a file of licences: UTF-8 (with or without a byte
// order mark), commas, a header of known columns in any order, and records of
// RFC 4180 that are one line each. What is no such file ends it with an error;
// what the fields say is the domain's to judge.
func readCSV(from io.Reader) iter.Seq2[session.ImportRow, error] {
	return func(yield func(session.ImportRow, error) bool) {
		lines := bufio.NewReaderSize(from, maxCSVLine)
		var columns []int
		for n := 1; ; n++ {
			fields, err := readRecord(lines, n)
			if err == io.EOF && n > 1 {
				return
			}
			if n == 1 && err == nil {
				if columns, err = readHeader(fields); err == nil {
					continue
				}
			}
			if err == nil && len(fields) != len(columns) {
				err = refuseCSV(n, "%d fields, and the header has %d", len(fields), len(columns))
			}
			if err != nil {
				if err == io.EOF {
					err = refuseCSV(1, "the file is empty")
				}
				yield(session.ImportRow{}, err)
				return
			}
			row := session.ImportRow{Line: n}
			for i, column := range columns {
				*csvColumns[column].field(&row) = fields[i]
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// readHeader returns which column each field of the header names.
func readHeader(fields []string) (columns []int, err error) {
	seen := map[string]bool{}
	for _, f := range fields {
		at := -1
		for i := range csvColumns {
			if csvColumns[i].name == f {
				at = i
			}
		}
		if at < 0 || seen[f] {
			err = errHeader
		}
		columns, seen[f] = append(columns, at), true
	}
	for _, c := range csvColumns {
		if !c.optional && !seen[c.name] {
			err = errHeader
		}
	}
	if seen["chain"] != seen["address"] {
		err = errHeader
	}
	return columns, err
}

var errHeader = refuseCSV(1, "the header names number,authority,jurisdiction,status,valid_until and may name chain,address and person, each once, separated by commas")

// readRecord reads line n. io.EOF behind the last.
func readRecord(lines *bufio.Reader, n int) ([]string, error) {
	raw, err := lines.ReadSlice('\n')
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, api.PayloadTooLarge, "The file is larger than 32 MiB: import it in parts.")
	case err == bufio.ErrBufferFull:
		return nil, refuseCSV(n, "longer than 64 KiB")
	case err == io.EOF && len(raw) == 0:
		return nil, io.EOF
	case err != nil && err != io.EOF:
		return nil, refuse(http.StatusBadRequest, api.InvalidRequest, "The body could not be read.")
	}
	if n == 1 {
		if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
			return nil, refuseCSV(n, "the file is UTF-16: save it as CSV UTF-8")
		}
		raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	line, _ := strings.CutSuffix(string(raw), "\n")
	line, _ = strings.CutSuffix(line, "\r")
	switch {
	case !utf8.ValidString(line):
		return nil, refuseCSV(n, "not UTF-8: save the file as CSV UTF-8")
	case strings.ContainsAny(line, "\r\x00"):
		return nil, refuseCSV(n, "a control character")
	case line == "":
		return nil, refuseCSV(n, "empty")
	}
	fields, ok := splitRecord(line)
	if !ok {
		return nil, refuseCSV(n, "quotes stand around a whole field, and twice within it")
	}
	return fields, nil
}

// splitRecord splits a record (RFC 4180, section 2) without line breaks in it.
func splitRecord(line string) (fields []string, ok bool) {
	for {
		quoted, is := strings.CutPrefix(line, `"`)
		if !is {
			field, rest, more := strings.Cut(line, ",")
			if strings.Contains(field, `"`) {
				return nil, false
			}
			if fields = append(fields, field); !more {
				return fields, true
			}
			line = rest
			continue
		}
		var field strings.Builder
		for {
			part, rest, closed := strings.Cut(quoted, `"`)
			if !closed {
				return nil, false
			}
			field.WriteString(part)
			if quoted, is = strings.CutPrefix(rest, `"`); !is {
				line = rest
				break
			}
			field.WriteByte('"')
		}
		fields = append(fields, field.String())
		if line == "" {
			return fields, true
		}
		if line, is = strings.CutPrefix(line, ","); !is {
			return nil, false
		}
	}
}
