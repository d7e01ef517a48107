package device

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
)

// told tells calls as "METHOD /path", with "named" before those that say who
// calls, and "proven" before those that carry a credential.
func told(t *testing.T, calls []*http.Request) (out []string) {
	t.Helper()
	for _, r := range calls {
		how := ""
		if auth := r.Header.Get("Authorization"); auth != "" {
			how = "named "
			if _, err := anonymous.ParseCredential(strings.TrimPrefix(auth, "Bearer ")); err == nil {
				how = "proven "
			}
		}
		if len(r.Cookies()) > 0 {
			t.Errorf("%s: a cookie", r.URL.Path)
		}
		path := strings.TrimPrefix(r.URL.Path, api.BasePath)
		if strings.HasPrefix(path, "/anonymous/pages/") {
			path = "/anonymous/pages/"
		}
		out = append(out, how+r.Method+" "+path)
	}
	return out
}

// What two devices ask for does not depend on when each was last here.
func TestTheListIsAskedForFromWhereEverybodyDoes(t *testing.T) {
	w := newWorld(t, 3)
	asked := func() (out []string) {
		for _, r := range w.asked() {
			if strings.HasSuffix(r.URL.Path, "/roots") {
				out = append(out, r.URL.RawQuery)
			}
		}
		return out
	}
	w.look()
	asked()
	for range 3 {
		w.grow(w.members, 1)
	}
	w.look() // was here three snapshots ago
	long := asked()
	w.look() // and a moment ago
	if recent := asked(); !slices.Equal(long, recent) || long[0] != "after=0" {
		t.Errorf("asked for %q, and then for %q", long, recent)
	}
}

func TestAMemberEnrolsWaitsAndSignsIn(t *testing.T) {
	w := newWorld(t, 3)
	m, err := w.device.Enrol(t.Context(), "a-standard-session")
	w.ok(err)
	if _, err := w.device.Commitment(); err != nil || m.Status != "waiting" {
		t.Errorf("%+v, %v", m, err)
	}
	if got, want := told(t, w.asked()), []string{
		"GET /anonymous/roots", "GET /anonymous/roots", "named POST /challenge", "named POST /anonymous/members",
	}; !slices.Equal(got, want) {
		t.Errorf("calls of the enrolment: %q", got)
	}

	if _, err := w.device.SignIn(t.Context()); !errors.Is(err, ErrNotMember) {
		t.Errorf("before it entered the group: %v", err)
	}
	if got, want := told(t, w.asked()), []string{"GET /anonymous/roots", "GET /anonymous/group", "GET /anonymous/pages/"}; !slices.Equal(got, want) {
		t.Errorf("calls of one who waits: %q", got)
	}

	w.publish(w.members)
	w.stages = nil
	tokens, err := w.device.SignIn(t.Context())
	w.ok(err)
	if tokens.SessionType != "anonymous" || tokens.SessionToken == "" {
		t.Errorf("%+v", tokens)
	}
	if got, want := told(t, w.asked()), []string{
		"GET /anonymous/roots", "GET /anonymous/roots", "GET /anonymous/group", "GET /anonymous/pages/", "POST /challenge", "proven POST /sessions",
	}; !slices.Equal(got, want) {
		t.Errorf("calls of the sign-in: %q", got)
	}
	if want := []Stage{Following, Downloading, Proving, SigningIn}; !slices.Equal(w.stages, want) {
		t.Errorf("stages %q", w.stages)
	}

	// Again, with nothing new: the same identity, no page.
	_, err = w.device.SignIn(t.Context())
	w.ok(err)
	if got, want := told(t, w.asked()), []string{"GET /anonymous/roots", "GET /anonymous/roots", "GET /anonymous/group", "POST /challenge", "proven POST /sessions"}; !slices.Equal(got, want) {
		t.Errorf("calls of the second sign-in: %q", got)
	}
	if m, err := w.device.Leave(t.Context(), "a-standard-session"); err != nil || m.Status != "leaving" {
		t.Errorf("%+v, %v", m, err)
	}
	apart(t, w.all)
	err = filepath.WalkDir(filepath.Dir(w.device.File), func(path string, e fs.DirEntry, err error) error {
		if info, _ := e.Info(); err == nil && !e.IsDir() && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		return err
	})
	w.ok(err)
}

// apart expects named and unnamed calls to share no connection.
func apart(t *testing.T, calls []*http.Request) {
	t.Helper()
	named := map[string]bool{}
	for i, how := range told(t, calls) {
		is, from := strings.HasPrefix(how, "named "), calls[i].RemoteAddr
		if was, known := named[from]; known && was != is {
			t.Errorf("%s comes over the connection of others", how)
		}
		named[from] = is
	}
	if len(named) < 2 {
		t.Errorf("%d connections", len(named))
	}
}

func TestPagesThatAreHereAreNotAskedFor(t *testing.T) {
	w := newWorld(t, 2*anonymous.PageSize+5)
	pages := func() int {
		n := 0
		for _, call := range told(t, w.asked()) {
			if call == "GET /anonymous/pages/" {
				n++
			}
		}
		return n
	}
	if v := w.look(); v.Members != 2*anonymous.PageSize+5 || v.Own != "" || v.Entered {
		t.Errorf("%+v", v)
	}
	if n := pages(); n != 3 {
		t.Errorf("%d of 3 pages asked for", n)
	}
	w.join()
	if v := w.look(); v.Members != 2*anonymous.PageSize+6 || !v.Entered {
		t.Errorf("%+v", v)
	}
	if n := pages(); n != 1 {
		t.Errorf("%d of 1 new pages asked for", n)
	}
	kept, err := os.ReadDir(w.device.pagesFolder())
	w.ok(err)
	if len(kept) != 3 {
		t.Errorf("%d pages are kept", len(kept))
	}
	for i, damage := range []func([]byte) []byte{
		func(b []byte) []byte { b[7] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)-32] },
		func([]byte) []byte { return nil },
	} {
		file := filepath.Join(w.device.pagesFolder(), kept[i].Name())
		b, err := os.ReadFile(file)
		w.ok(err)
		w.ok(os.WriteFile(file, damage(b), 0o600))
	}
	if v := w.look(); v.Members != 2*anonymous.PageSize+6 || !v.Entered {
		t.Errorf("%+v", v)
	}
	if n := pages(); n != 3 {
		t.Errorf("%d of 3 damaged pages asked for", n)
	}
}

func TestALongChainIsFollowedToItsEnd(t *testing.T) {
	w := newWorld(t, 1)
	first := w.look()
	for range 1203 {
		w.members.Publish()
	}
	if v := w.look(); v.Snapshot.Number != 1203 || v.Head() == first.Head() {
		t.Errorf("%+v", v.Snapshot)
	}
	// Who comes new sees the end of it only, and the same head.
	other := w.newDevice(w.device.Server)
	v, err := other.Look(t.Context())
	w.ok(err)
	if v.Head() != w.look().Head() {
		t.Error("two heads of one chain")
	}
}

func TestAnEmptyGroupIsPinnedToo(t *testing.T) {
	w := newWorld(t, 0)
	if v := w.look(); v.Snapshot != nil || v.Head() != "" || v.Epoch != 685 {
		t.Errorf("%+v", v)
	}
	if _, err := w.device.SignIn(t.Context()); !errors.Is(err, ErrNone) {
		t.Errorf("%v, want ErrNone", err)
	}
	w.join()
	if v := w.look(); !v.Entered || v.Members != 1 {
		t.Errorf("%+v", v)
	}
	w.lie("GET", "/anonymous/group", func(g map[string]any) { g["service_id"] = "another" })
	if _, err := w.device.Look(t.Context()); !errors.Is(err, ErrPins) {
		t.Errorf("%v, want ErrPins", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	w := newWorld(t, 1)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	d := w.newDevice(server.URL)
	if _, err := d.Look(t.Context()); !errors.Is(err, ErrAnswer) {
		t.Errorf("%v, want ErrAnswer", err)
	}
	for _, bad := range []string{"", "sessions.example.org", strings.Replace(server.URL, "//", "//ada:secret@", 1), server.URL + "/", server.URL + "?x"} {
		d.Server = bad
		if _, err := d.Look(t.Context()); err == nil || errors.Is(err, ErrAnswer) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
