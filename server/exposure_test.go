package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/mentalverse/session/api"
)

// spellings are the forms in which bytes may hide in a file.
func spellings(b []byte) [][]byte {
	text := hex.EncodeToString(b)
	return [][]byte{
		b, []byte(text), []byte(strings.ToUpper(text)),
		[]byte(base64.RawStdEncoding.EncodeToString(b)), []byte(base64.RawURLEncoding.EncodeToString(b)),
	}
}

// hunt looks for many secrets in one pass.
type hunt struct {
	secrets int
	starts  map[[12]byte]bool
}

func newHunt() *hunt { return &hunt{starts: map[[12]byte]bool{}} }

// add looks for a secret in every spelling, of its text and of what that
// decodes to. The text is one without a part that many secrets share.
func (h *hunt) add(text string) {
	h.secrets++
	forms := spellings([]byte(text))
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil {
		forms = append(forms, spellings(raw)...)
	}
	for _, form := range forms {
		h.starts[[12]byte(form)] = true
	}
}

// pair adds what is secret of a pair: the MAC of the refresh token, which
// begins at a whole character, and the signature of the session token.
func (h *hunt) pair(p api.Tokens) {
	h.add(p.RefreshToken[3+56:])
	h.add(p.SessionToken[strings.LastIndexByte(p.SessionToken, '.')+1:])
}

// find returns what it finds first, "" for nothing.
func (h *hunt) find(text []byte) string {
	for i := 0; i+12 <= len(text); i++ {
		if h.starts[[12]byte(text[i:])] {
			return string(text[max(0, i-20):min(len(text), i+60)])
		}
	}
	return ""
}

// column is one column of a table with the values to present.
type column struct {
	name   string
	values [][]byte
}

// columns returns up to limit distinct texts and blobs of every column.
func columns(t *testing.T, path string, limit int) (out []column) {
	t.Helper()
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rows := func(query string, each func(*sqlite3.Stmt)) {
		st, _, err := c.Prepare(query)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		for st.Step() {
			each(st)
		}
		if err := st.Err(); err != nil {
			t.Fatal(err)
		}
	}
	rows("SELECT m.name,p.name FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type='table'", func(st *sqlite3.Stmt) {
		out = append(out, column{name: fmt.Sprintf("%q.%q", st.ColumnText(0), st.ColumnText(1))})
	})
	for i := range out {
		table, name, _ := strings.Cut(out[i].name, ".")
		rows(fmt.Sprintf("SELECT DISTINCT %s FROM %s WHERE typeof(%s) IN ('text','blob') LIMIT %d", name, table, name, limit), func(st *sqlite3.Stmt) {
			out[i].values = append(out[i].values, bytes.Clone(st.ColumnRawBlob(0)))
		})
	}
	return out
}

// issue signs people in and refreshes: 2·people·pairs tokens.
func (w *world) issue(people, pairs int, each func(api.Tokens)) {
	w.t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, 16)
	for range people {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			p := data[api.Tokens](w.t, w.call("POST", "/api/auth/sessions", w.credential(w.newPerson()), nil))
			for n := 1; ; n++ {
				mu.Lock()
				each(p)
				mu.Unlock()
				if n == pairs {
					return
				}
				p = data[api.Tokens](w.t, w.refresh(p.RefreshToken))
			}
		})
	}
	wg.Wait()
}

// TOK-02: ten thousand tokens are issued; none stands in the database in any
// spelling, and nothing that does stand there opens anything.
func TestTheDatabaseOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.many = true
	h := newHunt()
	w.issue(large(500), 10, h.pair)
	for range 20 { // challenges that were answered: what was used up is kept
		credential := w.credential(w.person)
		w.want(w.call("POST", "/api/auth/sessions", credential, nil), 201, "")
		h.add(credential[len(credential)-86:])
	}
	last := w.signIn(api.CreateRequest{})
	w.stop()

	path := filepath.Join(w.data, "sessions.db")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if found := h.find(file); found != "" {
		t.Errorf("a secret stands in the database: %q", found)
	}
	if h.find([]byte("x"+last.RefreshToken)) != "" {
		t.Error("the hunt finds what was not issued")
	}
	h.pair(last)
	for name, spelled := range map[string]string{"text": last.RefreshToken, "hex": hex.EncodeToString([]byte(last.RefreshToken[59:]))} {
		if h.find([]byte("x"+spelled)) == "" {
			t.Errorf("the hunt does not find a %s", name)
		}
	}

	limit := 30
	if *long {
		limit = 20_000
	}
	all := columns(t, path, limit)
	w.serve()
	presented := 0
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, c := range all {
		for _, value := range c.values {
			presented++
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				for _, form := range append(spellings(value), append([]byte("rt_"), value...)) {
					w.showEverywhere(c.name, string(form))
				}
			})
		}
	}
	wg.Wait()
	t.Logf("%d secrets in a file of %d bytes; %d values of %d columns presented", h.secrets, len(file), presented, len(all))
	if presented < 400 || h.secrets < large(10_000) {
		t.Error("too little to prove anything")
	}
	w.want(w.validate(last.SessionToken), 200, "")
}

// showEverywhere shows a value wherever a secret is taken, and expects a refusal.
func (w *world) showEverywhere(name, value string) {
	try := func(what, method, path, body string, field, shown string) {
		req, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
		if err != nil {
			w.t.Error(err)
			return
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		if field != "" {
			req.Header[field] = []string{shown}
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return // no header can carry it
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != 401 && res.StatusCode != 400 && res.StatusCode != 403 {
			w.t.Errorf("a value of %s as %s: %d", name, what, res.StatusCode)
		}
	}
	const sessions = "/api/auth/sessions"
	try("session token", "GET", sessions+"/validate", "", "Authorization", "Bearer "+value)
	try("session cookie", "GET", sessions+"/validate", "", "Cookie", "__Host-s="+value)
	try("credential", "POST", sessions, "{}", "Authorization", "Bearer "+value)
	if utf8.ValidString(value) {
		shown, err := json.Marshal(api.RefreshRequest{RefreshToken: value})
		if err != nil {
			w.t.Error(err)
		}
		try("refresh token", "POST", sessions+"/refresh", string(shown), "", "")
	}
}
