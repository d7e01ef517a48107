package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/sessiontest"
)

// noon lies in the middle of epoch 685.
var noon = anonymous.Epochs{}.Start(685).Add(15 * 24 * time.Hour)

// world is a service, a device, and what passes between them.
type world struct {
	*testing.T
	clock   *sessiontest.Clock
	members *sessiontest.Members
	device  *Device
	stages  []Stage

	mu   sync.Mutex
	seen []*http.Request // since they were last looked at
	all  []*http.Request
	lies []lie
}

// lie changes the data of answers to a call; path is its beginning.
type lie struct {
	method, path string
	change       func(data map[string]any) any
}

// newWorld returns a service with n strangers in its group.
func newWorld(t *testing.T, n int) *world {
	w := &world{T: t, clock: sessiontest.NewClock(noon)}
	w.members = sessiontest.NewMembers("app.example.com", w.clock.Now)
	if n > 0 {
		w.members.Strangers(n)
		w.members.Publish()
	}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.device = w.newDevice(server.URL)
	return w
}

func (w *world) newDevice(server string) *Device {
	d := New(server, filepath.Join(w.TempDir(), "identity"))
	d.Now = w.clock.Now
	d.Progress = func(s Stage, _, _ int) { w.stages = append(w.stages, s) }
	return d
}

// join makes the device a member, without the proof.
func (w *world) join() {
	w.Helper()
	who, err := w.device.identityOrNew()
	w.ok(err)
	c, err := anonymous.ParseCommitment(who.Commitment())
	w.ok(err)
	w.members.Enrol(c)
	w.publish(w.members)
}

// publish lets time pass and publishes.
func (w *world) publish(m *sessiontest.Members) {
	w.clock.Advance(10 * time.Minute)
	m.Publish()
}

func (w *world) ok(err error) {
	w.Helper()
	if errors.Is(err, artifacts.ErrNone) && os.Getenv("CI") != "true" {
		w.Skip("SKIPPED: built without artifacts")
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) look() *View {
	w.Helper()
	v, err := w.device.Look(w.Context())
	w.ok(err)
	return v
}

// lie makes the service lie from now on.
func (w *world) lie(method, path string, change func(data map[string]any)) {
	w.lies = append(w.lies, lie{method, path, func(data map[string]any) any { change(data); return data }})
}

// asked returns the calls that were made, and forgets them.
func (w *world) asked() (calls []*http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls, w.seen = w.seen, nil
	return calls
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen, w.all = append(w.seen, r), append(w.all, r)
	honest := httptest.NewRecorder()
	w.members.ServeHTTP(honest, r)
	body := honest.Body.Bytes()
	for _, l := range w.lies {
		if r.Method == l.method && strings.HasPrefix(r.URL.Path, api.BasePath+l.path) {
			var e struct {
				Success bool           `json:"success"`
				Data    map[string]any `json:"data"`
			}
			d := json.NewDecoder(bytes.NewReader(body))
			d.UseNumber()
			if err := d.Decode(&e); err != nil {
				w.Error(err)
			}
			body, _ = json.Marshal(map[string]any{"success": true, "data": l.change(e.Data)})
		}
	}
	http.SetCookie(rw, &http.Cookie{Name: "follow", Value: "me", Path: "/"})
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(honest.Code)
	rw.Write(body)
}
