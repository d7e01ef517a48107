package anonymity_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/crypto/sha3"

	"github.com/mentalverse/session/anonymous"
)

// linker has the whole database of a crowd, and wants to know whose each
// anonymous session is. It does not know what it looks for: of every column of
// every table, of the order, number and size of rows (and of where they lie in
// the file) it makes features of each person who is known by name and of each
// pseudonym, and tries every pair of features.
type linker struct {
	t    *testing.T
	rng  *rand.Rand
	size int
	raw  bool           // looks at the bytes of the file, too
	hits map[string]int // by strategy; over all crowds that were looked at

	runs, rawRuns int
}

// feature is a value of each person, or of each pseudonym.
type feature struct {
	names  []string // of one or several that tell the same
	values []string
	order  []int // whose value is lowest, and so on; ties fall as they may
}

func (l *linker) newFeature(values []string) *feature {
	f := &feature{values: values, order: l.rng.Perm(len(values))}
	slices.SortStableFunc(f.order, func(a, b int) int { return strings.Compare(values[a], values[b]) })
	return f
}

// features are those that tell some from others.
func (l *linker) features(tr *traces) (out []*feature) {
	same := map[string]*feature{}
	for _, name := range slices.Sorted(maps.Keys(tr.columns)) {
		values := tr.columns[name]
		if len(slices.Compact(slices.Sorted(slices.Values(values)))) == 1 {
			continue
		}
		key := fmt.Sprintf("%q", values)
		if same[key] == nil {
			same[key] = l.newFeature(values)
			out = append(out, same[key])
		}
		same[key].names = append(same[key].names, name)
	}
	return out
}

// look adds what the linker finds out about a crowd that has gone.
func (l *linker) look(c *crowd) {
	l.t.Helper()
	// Persons are numbered in one random order and pseudonyms in another.
	names, pseudonyms := l.rng.Perm(len(c.people)), l.rng.Perm(len(c.people))
	truth := make([]int, len(c.people)) // the person of a pseudonym
	known, unknown := newTraces(len(c.people)), newTraces(len(c.people))
	for i, p := range c.people {
		truth[pseudonyms[i]] = names[i]
		commitment, err := anonymous.ParseCommitment(p.commit)
		if err != nil {
			l.t.Fatal(err)
		}
		b := commitment.Bytes()
		known.names(names[i], p.known.Session.Subject.ID, p.known.Session.Subject.Account.String(), p.known.Session.Subject.Account.Address, string(p.known.Session.ID[:]), string(b[:]))
		unknown.names(pseudonyms[i], p.anonymous.Session.Subject.ID, string(p.anonymous.Session.ID[:]))
	}
	readTables(l.t, c.path, known, unknown)
	l.runs++
	if l.raw {
		l.rawRuns++
		file, err := os.ReadFile(c.path)
		if err != nil {
			l.t.Fatal(err)
		}
		known.locate(file)
		unknown.locate(file)
	}
	if len(known.columns) < 30 || len(unknown.columns) < 30 {
		l.t.Fatalf("%d features of persons and %d of pseudonyms: the linker sees too little", len(known.columns), len(unknown.columns))
	}

	ofPerson, ofPseudonym := l.features(known), l.features(unknown)
	for _, p := range ofPerson {
		for _, q := range ofPseudonym {
			same, reverse, before := 0, 0, 0
			for k, who := range q.order {
				same += one(truth[who] == p.order[k])
				reverse += one(truth[who] == p.order[len(p.order)-1-k])
				// Who was the last before it, or is its equal.
				if n := sort.Search(len(p.order), func(i int) bool { return p.values[p.order[i]] > q.values[who] }); n > 0 {
					before += one(truth[who] == p.order[n-1])
				}
			}
			for _, f := range p.names {
				for _, g := range q.names {
					l.hits[f+" in the order of "+g] += same
					l.hits[f+" against the order of "+g] += reverse
					l.hits[f+" last before "+g] += before
				}
			}
		}
	}
	for name, n := range l.hashes(known, unknown, truth) {
		l.hits[name] += n
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// best returns the strategies, the best first, and what share of its guesses each
// hits.
func (l *linker) best() (names []string, rate func(string) float64) {
	rate = func(name string) float64 {
		n := l.runs
		if strings.Contains(name, inFile) {
			n = l.rawRuns
		}
		return float64(l.hits[name]) / float64(n*l.size)
	}
	return slices.SortedFunc(maps.Keys(l.hits), func(a, b string) int {
		return cmp.Or(cmp.Compare(rate(b), rate(a)), strings.Compare(a, b))
	}), rate
}

// traces are what a database tells of each of some persons or pseudonyms.
type traces struct {
	owner   map[string]int // by what names them
	of      [][]string     // the same, by owner
	columns map[string][]string
	texts   []map[string]bool // every value that stands beside each
}

func newTraces(n int) *traces {
	tr := &traces{owner: map[string]int{}, of: make([][]string, n), columns: map[string][]string{}, texts: make([]map[string]bool, n)}
	for i := range tr.texts {
		tr.texts[i] = map[string]bool{}
	}
	return tr
}

func (tr *traces) names(who int, names ...string) {
	tr.of[who] = names
	for _, name := range names {
		tr.owner[name] = who
	}
}

func (tr *traces) set(feature string, who int, value string) {
	if tr.columns[feature] == nil {
		tr.columns[feature] = make([]string, len(tr.of))
	}
	tr.columns[feature][who] = value
}

// ordered spells a number so that texts are in the order of the numbers.
func ordered(n int64) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(n)^1<<63))
}

// rows adds the rows of one table, in the order they came, that are somebody's.
func (tr *traces) rows(table string, columns []string, rows [][]string) {
	count := make([]int64, len(tr.of))
	for n, row := range rows {
		who, found := 0, false
		for _, value := range row {
			if who, found = tr.owner[value]; found {
				break
			}
		}
		if !found {
			continue
		}
		size := 0
		for i, value := range row {
			size += len(value)
			tr.texts[who][value] = true
			name := table + "." + columns[i]
			if count[who] == 0 {
				tr.set("first "+name, who, value)
			}
			tr.set("last "+name, who, value)
			tr.set("length of "+name, who, ordered(int64(len(value))))
		}
		count[who]++
		if count[who] == 1 {
			tr.set("first row of "+table, who, ordered(int64(n)))
		}
		tr.set("last row of "+table, who, ordered(int64(n)))
		tr.set("size of "+table, who, ordered(int64(size)))
		tr.set("count of "+table, who, ordered(count[who]))
	}
}

// inFile marks the features that come from the bytes of the file.
const inFile = "in the file, "

// locate adds where the names of each stand in the file.
func (tr *traces) locate(file []byte) {
	for who, names := range tr.of {
		for n, name := range names {
			for k, from := 0, 0; k < 6; k++ {
				at := bytes.Index(file[from:], []byte(name))
				if at < 0 {
					break
				}
				from += at + 1
				tr.set(fmt.Sprintf(inFile+"place %d of name %d", k, n), who, ordered(int64(from)))
				tr.set(fmt.Sprintf(inFile+"place %d of name %d within its page", k, n), who, ordered(int64(from%4096)))
			}
		}
	}
}

// readTables reads all there is in the order it is stored, with rowids. Texts
// and blobs are as they are; numbers so that texts order them.
func readTables(t *testing.T, path string, into ...*traces) {
	t.Helper()
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(sql string) (columns []string, rows [][]string, err error) {
		st, _, err := db.Prepare(sql)
		if err != nil {
			return nil, nil, err
		}
		defer st.Close()
		for i := range st.ColumnCount() {
			columns = append(columns, st.ColumnName(i))
		}
		for st.Step() {
			var row []string
			for i := range columns {
				if st.ColumnType(i) == sqlite3.INTEGER {
					row = append(row, ordered(st.ColumnInt64(i)))
				} else {
					row = append(row, string(st.ColumnRawBlob(i)))
				}
			}
			rows = append(rows, row)
		}
		return columns, rows, st.Err()
	}
	_, tables, err := query("SELECT name FROM sqlite_schema WHERE type='table'")
	if err != nil || len(tables) < 10 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	for _, table := range tables {
		columns, rows, err := query("SELECT rowid AS the_rowid, * FROM " + table[0])
		if err != nil { // WITHOUT ROWID
			columns, rows, err = query("SELECT * FROM " + table[0])
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range into {
			tr.rows(table[0], columns, rows)
		}
	}
}

// hashes looks for what names a person, as it is and under unkeyed hashes,
// beside a pseudonym. Whom it does not find so, it guesses.
func (l *linker) hashes(known, unknown *traces, truth []int) map[string]int {
	const window = 8
	beside := map[[window]byte]int{}
	for who, texts := range unknown.texts {
		for text := range texts {
			for _, form := range unspelled(text) {
				for i := 0; i+window <= len(form); i++ {
					beside[[window]byte(form[i:])] = who
				}
			}
		}
	}
	digests := map[string]func() hash.Hash{
		"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-512": sha512.New, "SHA3-256": sha3.New256, "Keccak-256": sha3.NewLegacyKeccak256,
		"HMAC-SHA-256 without a key": func() hash.Hash { return hmac.New(sha256.New, nil) },
	}
	hits := map[string]int{}
	try := func(name string, of func(string) []byte) {
		for n := range known.of[0] {
			n := n
			strategy := fmt.Sprintf("%s of name %d", name, n)
			guess := make([]int, len(truth))
			for i := range guess {
				guess[i] = l.rng.IntN(len(truth))
			}
			for who, names := range known.of {
				b := of(names[n])
				if pseudonym, ok := beside[[window]byte(b[:window])]; ok {
					guess[pseudonym] = who
				}
			}
			for pseudonym, who := range guess {
				hits[strategy] += one(truth[pseudonym] == who)
			}
		}
	}
	try("the text", func(name string) []byte {
		if len(name) > 2*window { // texts begin alike
			return []byte(name[len(name)-window:])
		}
		return []byte(name)
	})
	for name, digest := range digests {
		for _, tag := range []string{"", "mentalverse:pseudonym:", "mentalverse:receipt:", string(crowdService)} {
			try(name+" behind "+fmt.Sprintf("%q", tag), func(name string) []byte {
				h := digest()
				h.Write([]byte(tag + name))
				return h.Sum(nil)
			})
		}
	}
	return hits
}

// unspelled is a text and what it may spell.
func unspelled(text string) [][]byte {
	forms := [][]byte{[]byte(text)}
	_, bare, ok := strings.Cut(text, "_")
	if !ok {
		bare = text
	}
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.RawURLEncoding.DecodeString, base64.StdEncoding.DecodeString, lowerBase32.DecodeString} {
		if b, err := decode(bare); err == nil {
			forms = append(forms, b)
		}
	}
	return forms
}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// observe has crowds live, each in orders of its own, and a linker look at what
// is left of them.
func observe(t *testing.T, crowds int, one func(*testing.T, *rand.Rand) *crowd, close func(int) bool) *linker {
	t.Helper()
	l := &linker{t: t, rng: rand.New(rand.NewPCG(1, uint64(crowds))), hits: map[string]int{}}
	for seed := range crowds {
		synctest.Test(t, func(t *testing.T) {
			c := one(t, rand.New(rand.NewPCG(uint64(seed), 100)))
			c.live(close(seed))
			l.size, l.raw = len(c.people), !close(seed)
			l.look(c)
		})
	}
	return l
}
