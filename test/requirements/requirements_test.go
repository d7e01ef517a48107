// Package requirements holds docs/requirements.md against the tests it names.
package requirements

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// must are the requirements that need a row: tests, or the reason why not.
var must = strings.Fields(`
	TOK-01 TOK-02 TOK-03 TOK-06 TOK-07 TOK-08
	WEB-01 WEB-03 WEB-04 WEB-05 WEB-06 WEB-07 WEB-08
	LIF-01 LIF-02 LIF-03 LIF-05 LIF-07
	REV-01 REV-02 REV-03 REV-04 REV-05 REV-07 REV-08
	REF-01 REF-02 REF-03 REF-06 REF-07 REF-08 REF-09
	BND-01 BND-02 BND-04
	JWT-01 JWT-02 JWT-03 JWT-04 JWT-06
	AUZ-01 AUZ-02 AUZ-03 AUZ-06
	WSS-01 WSS-02 WSS-03
	AUD-01 AUD-02 AUD-04
	PRI-02 PRI-03
	API-01 API-02 API-03 API-04 API-06
	CLI-01 CLI-02 CLI-03
	REL-01 REL-03 REL-04 REL-05 REL-06 REL-07 REL-13`)

// row is one line of a table: what it is about, and its other cells.
type row struct {
	section, id string
	cells       []string
}

var (
	heading = regexp.MustCompile(`^## (.+)$`)
	comment = regexp.MustCompile(`<!--.*?-->`)
	rowID   = regexp.MustCompile(`^[A-Z]{3}-[0-9]{2}$`)
	named   = regexp.MustCompile("^`(\\.[a-z0-9/]*) ((?:Test|Fuzz)[A-Za-z0-9_]+)`$")
)

// readRows returns the rows of every table whose first cell is an id. A line
// that begins as a table's and is none is an error.
func readRows(t *testing.T, text string) (rows []row) {
	t.Helper()
	section := ""
	for n, line := range strings.Split(text, "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(comment.ReplaceAllString(line, ""), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case cells[0] == "row" || strings.Trim(cells[0], "-") == "":
		case !rowID.MatchString(cells[0]):
			t.Errorf("line %d: %q is no row's name", n+1, cells[0])
		default:
			rows = append(rows, row{section, cells[0], cells[1:]})
		}
	}
	return rows
}

// tests returns the tests and fuzz targets of the package in dir, with their
// bodies.
func tests(t *testing.T, dir string) map[string]*ast.FuncDecl {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*ast.FuncDecl{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				out[f.Name.Name] = f
			}
		}
	}
	return out
}

func TestEveryRequirementHasItsTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/requirements.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	packages := map[string]map[string]*ast.FuncDecl{}
	for _, r := range readRows(t, string(text)) {
		if seen[r.id] {
			t.Errorf("%s stands twice", r.id)
		}
		seen[r.id] = true
		for _, cell := range r.cells {
			if cell == "" {
				t.Errorf("%s: an empty cell", r.id)
			}
		}
		switch r.section {
		case "Not yet", "The design differs":
			if len(r.cells) != 1 {
				t.Errorf("%s: %d cells", r.id, len(r.cells))
			}
			continue
		case "Held":
		default:
			t.Errorf("%s stands under %q", r.id, r.section)
			continue
		}
		if len(r.cells) != 2 {
			t.Errorf("%s: %d cells", r.id, len(r.cells))
			continue
		}
		for _, name := range strings.Split(r.cells[1], ", ") {
			m := named.FindStringSubmatch(name)
			if m == nil {
				t.Errorf("%s: %q names no test", r.id, name)
				continue
			}
			if packages[m[1]] == nil {
				packages[m[1]] = tests(t, filepath.Join(root, m[1]))
			}
			if packages[m[1]][m[2]] == nil {
				t.Errorf("%s: there is no %s in %s", r.id, m[2], m[1])
			}
		}
	}
	for _, id := range must {
		if !seen[id] {
			t.Errorf("%s has no row", id)
		}
	}
}

// A test that skips where something is missing would pass there in silence, so
// it must ask whether it runs in CI, where everything is there.
func TestWhatSkipsFailsInCI(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case path != root && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		}
		for name, f := range tests(t, path) {
			checkSkips(t, path, name, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkSkips(t *testing.T, dir, name string, f *ast.FuncDecl) {
	t.Helper()
	skips, asks := false, false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			skips = skips || n.Sel.Name == "Skip" || n.Sel.Name == "Skipf" || n.Sel.Name == "SkipNow"
		case *ast.BasicLit:
			asks = asks || n.Value == `"CI"`
		}
		return true
	})
	if skips && !asks {
		t.Errorf("%s in %s skips, and does not fail where CI=true", name, dir)
	}
}

func TestTheReaderSeesWhatIsWrong(t *testing.T) {
	rows := readRows(t, "## Held\n| row | what holds | tests |\n|---|---|---|\n| TOK-01 | a <!-- hostile --> | `./token TestImports`, `. FuzzNonce` |\n## Not yet\n| REV-02 | b |\n")
	if len(rows) != 2 || rows[0].section != "Held" || rows[0].cells[0] != "a" || rows[1].id != "REV-02" || len(rows[1].cells) != 1 {
		t.Errorf("%+v", rows)
	}
	for _, bad := range []string{"", "./token TestImports", "`TestImports`", "`./token Imports`", "`./token TestA` `./token TestB`"} {
		if named.MatchString(bad) {
			t.Errorf("%q is taken for a test", bad)
		}
	}
	if tests(t, ".")["TestTheReaderSeesWhatIsWrong"] == nil || tests(t, ".")["TestNothingOfThisName"] != nil {
		t.Error("tests are not found by their names")
	}
}
