package httpapi

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	session "github.com/mentalverse/session"
)

func rowsOf(text string) (rows []session.ImportRow, err error) {
	for row, e := range readCSV(strings.NewReader(text)) {
		if e != nil {
			return rows, e
		}
		rows = append(rows, row)
	}
	return rows, nil
}

const csvHeader = "number,authority,jurisdiction,status,valid_until\n"

func TestAFileOfLicencesIsRead(t *testing.T) {
	want := session.ImportRow{Line: 2, Number: "7", Authority: `Board "of" things, Bavaria`, Jurisdiction: "DE-BY", Status: "verified", ValidUntil: "2027-12-31", Person: "ünï"}
	for name, text := range map[string]string{
		"as spreadsheets write it": "\ufeffnumber,authority,jurisdiction,status,valid_until,person\r\n7,\"Board \"\"of\"\" things, Bavaria\",DE-BY,verified,2027-12-31,ünï\r\n",
		"another order":            "person,valid_until,status,jurisdiction,authority,number\nünï,2027-12-31,verified,DE-BY,\"Board \"\"of\"\" things, Bavaria\",7",
		"all in quotes":            "\"number\",\"authority\",\"jurisdiction\",\"status\",\"valid_until\",\"chain\",\"address\",\"person\"\n\"7\",\"Board \"\"of\"\" things, Bavaria\",\"DE-BY\",\"verified\",\"2027-12-31\",\"\",\"\",\"ünï\"\n",
	} {
		if rows, err := rowsOf(text); err != nil || len(rows) != 1 || rows[0] != want {
			t.Errorf("%s: %+v, %v", name, rows, err)
		}
	}
	if rows, err := rowsOf(csvHeader); err != nil || len(rows) != 0 {
		t.Errorf("a header alone: %v, %v", rows, err)
	}
	rows, err := rowsOf(csvHeader + "1,,,,\n2,b,,,\n")
	if err != nil || len(rows) != 2 || rows[1].Line != 3 || rows[1].Authority != "b" {
		t.Errorf("%+v, %v", rows, err)
	}
}

// What is no such file is refused, with the line and what to do.
func TestWhatIsNoFileOfLicences(t *testing.T) {
	long := strings.Repeat("x", maxCSVLine)
	for name, c := range map[string]struct{ text, want string }{
		"nothing":             {"", "empty"},
		"a mark alone":        {"\ufeff", "Line 1: empty"},
		"no header":           {"7,Board,DE-BY,verified,2027-12-31\n", "Line 1: the header"},
		"semicolons":          {"number;authority;jurisdiction;status;valid_until\n", "separated by commas"},
		"another column":      {"number,authority,jurisdiction,status,valid_until,colour\n", "the header"},
		"a column twice":      {"number,authority,jurisdiction,status,valid_until,number\n", "the header"},
		"a column missing":    {"number,authority,jurisdiction,status\n", "the header"},
		"chain without":       {"number,authority,jurisdiction,status,valid_until,chain\n", "the header"},
		"capitals":            {"Number,authority,jurisdiction,status,valid_until\n", "the header"},
		"spaces":              {"number, authority,jurisdiction,status,valid_until\n", "the header"},
		"too few fields":      {csvHeader + "1,2,3,4\n", "Line 2: 4 fields"},
		"too many fields":     {csvHeader + "1,2,3,4,5\n1,2,3,4,5,6\n", "Line 3: 6 fields"},
		"an empty line":       {csvHeader + "\n1,2,3,4,5\n", "Line 2: empty"},
		"UTF-16":              {"\xff\xfen\x00u\x00", "UTF-16"},
		"UTF-16, other end":   {"\xfe\xff\x00n\x00u", "UTF-16"},
		"Latin-1":             {csvHeader + "1,M\xfcnchen,3,4,5\n", "Line 2: not UTF-8"},
		"a null":              {csvHeader + "1,\x00,3,4,5\n", "control"},
		"a carriage return":   {csvHeader + "1,a\rb,3,4,5\n", "control"},
		"old Macintosh":       {strings.ReplaceAll(csvHeader, "\n", "\r") + "1,2,3,4,5\r", "control"},
		"an open quote":       {csvHeader + "\"1,2,3,4,5\n", "quotes"},
		"a quote within":      {csvHeader + "a\"b,2,3,4,5\n", "quotes"},
		"text behind a quote": {csvHeader + "\"a\"b,2,3,4,5\n", "quotes"},
		"a record of two":     {csvHeader + "\"a\nb\",2,3,4,5\n", "quotes"},
		"a long line":         {csvHeader + long + ",2,3,4,5\n", "Line 2: longer than 64 KiB"},
		"an endless line":     {csvHeader + "\"" + strings.Repeat(long, 3), "Line 2: longer"},
	} {
		if _, err := rowsOf(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := rowsOf(csvHeader + strings.Repeat("x", maxCSVLine-9) + ",2,3,4,5\n")
	if err != nil {
		t.Errorf("a line as long as may be: %v", err)
	}
	broken := errors.New("broken")
	for _, e := range readCSV(io.MultiReader(strings.NewReader(csvHeader), &failing{broken})) {
		if e == nil || strings.Contains(fmt.Sprint(e), "broken") {
			t.Errorf("%v", e)
		}
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// What is accepted reads the same in the standard library, and nothing long or
// unprintable comes through.
func FuzzCSV(f *testing.F) {
	f.Add([]byte(csvHeader + "7,\"a \"\"b\"\", c\",DE-BY,verified,2027-12-31\r\n8,,,,\n"))
	f.Add([]byte("\ufeffperson,number,authority,jurisdiction,status,valid_until,chain,address\na,b,c,d,e,f,g,h"))
	f.Add([]byte(csvHeader + "\"\",\"\"\"\",,,"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := rowsOf(string(b))
		if err != nil {
			return
		}
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff")))
		records, err := r.ReadAll()
		if err != nil || len(records) != len(rows)+1 {
			t.Fatalf("%q: %d rows, and elsewhere %d, %v", b, len(rows), len(records)-1, err)
		}
		for i, row := range rows {
			if row.Line != i+2 {
				t.Errorf("line %d is %d", i+2, row.Line)
			}
			for j, name := range records[0] {
				at := slices.IndexFunc(csvColumns, func(c struct {
					name     string
					optional bool
					field    func(*session.ImportRow) *string
				}) bool {
					return c.name == name
				})
				if got := *csvColumns[at].field(&row); got != records[i+1][j] || len(got) > maxCSVLine || strings.ContainsAny(got, "\r\n\x00") {
					t.Fatalf("%q: field %s is %q, and elsewhere %q", b, name, got, records[i+1][j])
				}
			}
		}
	})
}
