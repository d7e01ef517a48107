package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// follow asks for the feed behind a position.
func (w *world) follow(key, after string, wait int) answer {
	w.t.Helper()
	return w.call("GET", "/service/v1/feed?wait="+fmt.Sprint(wait)+positionQuery(after), key, nil)
}

func positionQuery(after string) string {
	if after == "" {
		return ""
	}
	return "&after=" + url.QueryEscape(after)
}

// told is follow that must be answered without a gap.
func (w *world) told(key, after string, wait int) api.Feed {
	w.t.Helper()
	f := data[api.Feed](w.t, w.follow(key, after, wait))
	if f.Gap != (after == "") {
		w.t.Errorf("gap is %v", f.Gap)
	}
	return f
}

// waiting asks for the feed and tells what came when it is called.
func (w *world) waiting(key, after string) func() api.Feed {
	got := make(chan api.Feed, 1)
	go func() { got <- w.told(key, after, 20) }()
	return func() api.Feed { return <-got }
}

// line is an event as it stands in an answer.
func line(e api.FeedEvent) string { return fmt.Sprintf("%s %s%s", e.Event, e.SessionID, e.Reason) }

// A running server: whatever ends or changes a session is told to a service that
// waits, and from then on the service is refused what it was told.
func TestWhatEndsTrustIsToldToAServiceThatWaits(t *testing.T) {
	w := newWorld(t)
	key := w.newService("chat").Key
	ada := w.newOperator("operator")
	position := w.told(key, "", 0).Position
	for name, c := range map[string]struct {
		act  func(s api.Tokens) answer
		want func(s api.Tokens) string
	}{
		"logout": {
			func(s api.Tokens) answer {
				return w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil)
			},
			func(s api.Tokens) string { return "session.ended " + s.SessionID + "logout" },
		},
		"an operator": {
			func(s api.Tokens) answer {
				return w.act("DELETE", "/sessions/"+s.SessionID, ada.Key, api.OperatorRequest{Reason: "as asked"})
			},
			func(s api.Tokens) string { return "session.ended " + s.SessionID + "revoked" },
		},
		"a cut": {
			func(s api.Tokens) answer {
				return w.act("POST", "/sessions/end", ada.Key, api.EndManyRequest{All: true, Reason: "as asked"})
			},
			func(s api.Tokens) string { return "sessions.cut " },
		},
		"fewer permissions": {
			func(s api.Tokens) answer {
				return w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":["read:profile"]}`)
			},
			func(s api.Tokens) string { return "session.updated " + s.SessionID },
		},
	} {
		s := w.signIn(api.CreateRequest{})
		got := w.waiting(key, position)
		w.want(c.act(s), 200, "")
		f := got()
		find := func() int {
			return slices.IndexFunc(f.Events, func(e api.FeedEvent) bool { return line(e) == c.want(s) })
		}
		for find() < 0 { // the rows that follow a cut are told too
			if len(f.Events) == 0 {
				t.Fatalf("%s: told nothing", name)
			}
			f = w.told(key, f.Position, 20)
		}
		if e := f.Events[find()]; e.Event == "session.updated" && e.MinGen != 2 {
			t.Errorf("%s: told %+v", name, e)
		}
		position = f.Position
		a := w.call("POST", "/service/v1/validate", key, api.ServiceValidateRequest{Token: s.SessionToken, After: position})
		if a.Status != 401 {
			t.Errorf("%s: the service is told %d %s", name, a.Status, a.Body)
		}
	}
	w.eventually(func() bool { // every row has followed the cut
		f := w.told(key, position, 0)
		position = f.Position
		return len(f.Events) == 0
	})

	// Refreshes and sign-ins are nobody's business.
	got := w.waiting(key, position)
	s := w.signIn(api.CreateRequest{})
	next := data[api.Tokens](t, w.refresh(s.RefreshToken))
	w.want(w.call("POST", "/api/auth/sessions/logout", next.SessionToken, nil), 200, "")
	for f := got(); ; f = w.told(key, f.Position, 20) {
		if len(f.Events) == 0 {
			t.Fatal("told nothing")
		}
		for _, e := range f.Events {
			if e.SessionID == s.SessionID && e.Reason == "logout" {
				return
			}
			if e.Event != "session.ended" || e.Reason != "revoked" {
				t.Errorf("told %+v", e)
			}
		}
	}
}

// A line tells which session and why, and no more; of a pseudonym's too.
func TestALineTellsNoMoreThanItMust(t *testing.T) {
	w := newWorld(t, openGroup)
	key := w.newService("chat").Key
	m := w.newMember()
	m.enrol()
	s, who := m.signInAnonymously()
	position := w.told(key, "", 0).Position
	got := make(chan answer, 1)
	go func() { got <- w.follow(key, position, 20) }()
	w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
	a := <-got
	var out struct {
		Data struct {
			Events []map[string]any `json:"events"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &out); err != nil || len(out.Data.Events) != 1 {
		t.Fatalf("%s, %v", a.Body, err)
	}
	e := out.Data.Events[0]
	if len(e) != 3 || e["event"] != "session.ended" || e["session_id"] != s.SessionID || e["reason"] != "logout" {
		t.Errorf("told %v", e)
	}
	if strings.Contains(string(a.Body), who) {
		t.Error("the pseudonym is told")
	}
	if strings.Contains(w.log.String(), s.SessionID) {
		t.Error("the log names an anonymous session")
	}
}

// Only what a service says of the person counts as the person's.
func TestOnlyWhatAServiceSaysKeepsASessionAlive(t *testing.T) {
	w := newWorld(t)
	key := w.newService("chat").Key
	for _, active := range []bool{false, true} {
		s := w.signIn(api.CreateRequest{Activity: "reported"})
		for range 2 {
			w.clock.Advance(20 * time.Minute)
			a := w.call("POST", "/service/v1/validate", key, api.ServiceValidateRequest{Token: s.SessionToken, Activity: active})
			if lives := a.Status == 200; !lives {
				w.want(a, 401, api.SessionExpired)
				break
			}
		}
		if lives := w.validate(s.SessionToken).Status == 200; lives != active {
			t.Errorf("the service says %v, and the session lives: %v", active, lives)
		}
	}
}

// A service that was cut off, and a server that was started anew meanwhile: the
// service misses nothing, and is told nothing twice. After a restore it must
// begin anew.
func TestAServiceThatWasCutOffMissesNothing(t *testing.T) {
	w := newWorld(t)
	key := w.newService("chat").Key
	position := w.told(key, "", 0).Position
	var want []string
	end := func(n int) {
		for range n {
			s := w.signIn(api.CreateRequest{})
			w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
			want = append(want, s.SessionID)
		}
	}
	// It goes away while it waits.
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	req, err := http.NewRequestWithContext(ctx, "GET", w.url+"/service/v1/feed?wait=20&after="+position, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
		}
		gone <- err
	}()
	cancel()
	if <-gone == nil {
		t.Error("the request was answered")
	}
	end(3)
	w.stop()
	w.serve()
	end(3)
	f := w.told(key, position, 0)
	for len(f.Events) < len(want) {
		more := w.told(key, f.Position, 20)
		if len(more.Events) == 0 {
			break
		}
		more.Events = append(f.Events, more.Events...)
		f = more
	}
	var got []string
	for _, e := range f.Events {
		got = append(got, e.SessionID)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("told %v\nnot %v", got, want)
	}
	w.stop()
	w.serve(func(c *server.Config) { epoch := uint32(7); c.RestoreEpoch = &epoch })
	if f := data[api.Feed](t, w.follow(key, f.Position, 20)); !f.Gap || len(f.Events) != 0 {
		t.Errorf("after a restore: %+v", f)
	}
}

// Services that never read their answers are nobody else's trouble, and nothing
// of them stays.
func TestAServiceThatStopsReadingHoldsNobodyUp(t *testing.T) {
	w := newWorld(t)
	key := w.newService("chat").Key
	deaf := w.newService("deaf").Key
	position := w.told(key, "", 0).Position
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	before := goleak.IgnoreCurrent()
	var conns []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		for range 3 {
			fmt.Fprintf(c, "GET /service/v1/feed?wait=20&after=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", position, deaf)
		}
	}
	for range 20 {
		s := w.signIn(api.CreateRequest{})
		got := w.waiting(key, position)
		w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
		f := got()
		if len(f.Events) != 1 || f.Events[0].SessionID != s.SessionID {
			t.Fatalf("told %+v", f.Events)
		}
		position = f.Position
	}
	for _, c := range conns {
		c.Close()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// A server that is told to stop answers those who wait: nothing of them holds it
// up, and nothing of them stays.
func TestAStopEndsAllWaiting(t *testing.T) {
	run := func() {
		w := newWorld(t, func(c *server.Config) { c.DrainTimeout = 10 * time.Second }) // half of what they wait
		key := w.newService("chat").Key
		position := w.told(key, "", 0).Position
		var all sync.WaitGroup
		var mu sync.Mutex
		sent := 0
		begun := make(chan bool)
		for range 40 {
			all.Go(func() {
				c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				fmt.Fprintf(c, "GET /service/v1/feed?wait=20&after=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", position, key)
				mu.Lock()
				if sent++; sent == 40 {
					close(begun)
				}
				mu.Unlock()
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					return // it had not been read when the server stopped
				}
				defer res.Body.Close()
				var out api.Envelope[api.Feed]
				if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Data == nil || out.Data.Gap || len(out.Data.Events) != 0 {
					t.Errorf("answered %d, %v", res.StatusCode, err)
				}
			})
		}
		<-begun
		// One that was told comes after those that wait.
		w.told(key, position, 0)
		w.stop()
		all.Wait()
	}
	run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	before, goroutines, files := goleak.IgnoreCurrent(), runtime.NumGoroutine(), descriptors(t)
	for range 2 {
		run()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if now := descriptors(t); now > files {
		t.Errorf("%d descriptors, before it %d", now, files)
	}
	if now := runtime.NumGoroutine(); now > goroutines {
		t.Errorf("%d goroutines, before them %d", now, goroutines)
	}
}

// A revocation that races those who ask: once a service has been told of an end,
// no answer at that position or later says that the session is good.
func TestAServiceIsNeverToldGoodAfterAnEnd(t *testing.T) {
	w := newWorld(t)
	w.many = true
	key := w.newService("chat").Key
	position := w.told(key, "", 0).Position
	const people, each = 8, 25
	tokens := sync.Map{} // by session id
	stop := make(chan bool)
	var asking, ending sync.WaitGroup
	for range 2 { // so that sessions stand in memory, and reads of them are under way
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				tokens.Range(func(_, token any) bool {
					w.call("POST", "/service/v1/validate", key, api.ServiceValidateRequest{Token: token.(string)})
					return true
				})
			}
		})
	}
	for range people {
		who := w.newPerson()
		ending.Go(func() {
			for range each {
				a := w.call("POST", "/api/auth/sessions", w.credential(who), nil)
				s := data[api.Tokens](t, a)
				tokens.Store(s.SessionID, s.SessionToken)
				w.want(w.call("POST", "/api/auth/sessions/logout", s.SessionToken, nil), 200, "")
			}
		})
	}
	for seen := 0; seen < people*each; {
		f := w.told(key, position, 20)
		position = f.Position
		for _, e := range f.Events {
			seen++
			token, _ := tokens.Load(e.SessionID)
			a := w.call("POST", "/service/v1/validate", key, api.ServiceValidateRequest{Token: token.(string), After: position})
			if a.Status != 401 {
				t.Errorf("told of its end, and then %d", a.Status)
			}
			tokens.Delete(e.SessionID)
		}
	}
	close(stop)
	ending.Wait()
	asking.Wait()
}
