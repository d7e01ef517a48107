package server_test

import (
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// table is all that one table of a database holds.
type table struct {
	name    string
	columns []string
	rows    [][]any // of int64, string, []byte and nil
}

// dump reads every table of the database at path, beside a running server.
func dump(t testing.TB, path string) (out []table) {
	t.Helper()
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	read := func(query string) (columns []string, rows [][]any) {
		st, _, err := db.Prepare(query)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		for i := range st.ColumnCount() {
			columns = append(columns, st.ColumnName(i))
		}
		for st.Step() {
			row := make([]any, len(columns))
			for i := range row {
				switch st.ColumnType(i) {
				case sqlite3.INTEGER:
					row[i] = st.ColumnInt64(i)
				case sqlite3.TEXT:
					row[i] = st.ColumnText(i)
				case sqlite3.BLOB:
					row[i] = st.ColumnBlob(i, nil)
				case sqlite3.NULL:
				default:
					t.Fatalf("%s has a value of an unknown type", query)
				}
			}
			rows = append(rows, row)
		}
		if err := st.Err(); err != nil {
			t.Fatal(err)
		}
		return columns, rows
	}
	_, names := read("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name")
	for _, name := range names {
		tb := table{name: name[0].(string)}
		tb.columns, tb.rows = read(fmt.Sprintf("SELECT * FROM %q", tb.name))
		out = append(out, tb)
	}
	return out
}
