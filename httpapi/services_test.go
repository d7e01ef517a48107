package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// feed is a feed that tells one event, once it is let go.
type feed struct {
	in      chan bool // one for each who reads
	out     chan bool // closed to let them go
	reached bool
}

func newFeed() *feed { return &feed{in: make(chan bool, 10_000), out: make(chan bool), reached: true} }

func (f *feed) Read(ctx context.Context, after string, wait time.Duration, limit int) (session.Batch, error) {
	if wait > 0 {
		f.in <- true
		select {
		case <-f.out:
		case <-ctx.Done():
			return session.Batch{}, ctx.Err()
		}
	}
	return session.Batch{
		Position: "p" + after, Held: 1999*time.Microsecond + time.Second, Age: 1001 * time.Microsecond, Gap: after == "",
		Events: []session.Event{{Kind: session.EventKeys}, {Kind: session.EventCut, At: time.Now(), SubjectID: "secret"}},
	}, nil
}

func (f *feed) Reached(_ context.Context, position string) (bool, error) {
	if position == "bad" {
		return false, session.Refuse(session.CodeInvalidRequest, "after is a position from an earlier answer.", nil)
	}
	return f.reached, nil
}

var act = session.Act{Operator: session.RootOperator, Reason: "a new service"}

// serviceHouse is a house with a feed and a service's key.
func serviceHouse(t *testing.T, change ...func(*Options)) (*house, *feed, session.Operator, string) {
	t.Helper()
	f := newFeed()
	h := newHouse(t, append(change, func(o *Options) { o.Feed = f })...)
	who, key, err := h.service.AddService(t.Context(), "chat", act)
	if err != nil {
		t.Fatal(err)
	}
	return h, f, who, key
}

const (
	feedPath    = api.ServicePath + "/feed"
	askPath     = api.ServicePath + "/validate"
	reportsPath = api.ServicePath + "/reports"
	oneSighting = `{"seen":[{"session_id":"%","generation":1}]}`
)

// AUZ-01: every call for services, with every kind of key, cookie and origin:
// only a service's key opens it, and no page can read it.
func TestServicesCallsInEveryCombination(t *testing.T) {
	h, _, _, key := serviceHouse(t)
	gone, revoked, err := h.service.AddService(t.Context(), "old", act)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.RevokeService(t.Context(), gone.ID, act); err != nil {
		t.Fatal(err)
	}
	_, operators, err := h.service.AddOperator(t.Context(), "Ada", session.RoleOperator, act)
	if err != nil {
		t.Fatal(err)
	}
	tokens := h.signIn()
	jar := h.signInCookie()
	cells := 0
	for _, c := range []struct{ method, path, body string }{
		{"GET", feedPath, ""},
		{"POST", askPath, `{"token":"` + tokens.SessionToken + `"}`},
		{"POST", reportsPath, strings.Replace(oneSighting, "%", tokens.SessionID, 1)},
	} {
		for name, k := range map[string]struct {
			key  string
			want int
			code api.Code
		}{
			"good": {key, 200, ""}, "none": {"", 401, api.CredentialInvalid}, "a session's": {tokens.SessionToken, 401, api.CredentialInvalid},
			"an operator's": {operators, 403, api.PermissionDenied}, "root's": {h.service.Keys().RootKey(), 403, api.PermissionDenied},
			"revoked": {revoked, 401, api.CredentialInvalid}, "wrong": {key[:len(key)-2] + "AA", 401, api.CredentialInvalid},
		} {
			for _, origin := range []string{"", listedOrigin, ownOrigin, "https://evil.example"} {
				for _, cookie := range []bool{false, true} {
					set := []func(*http.Request){field("Origin", origin)}
					if k.key != "" {
						set = append(set, bearerOf(k.key))
					}
					if cookie {
						set = append(set, jar)
					}
					w := h.do(c.method, c.path, c.body, set...)
					want, code := k.want, k.code
					if c.method == "POST" && origin == "https://evil.example" {
						want, code = 403, api.OriginDenied
					}
					var e api.Envelope[json.RawMessage]
					json.Unmarshal(w.Body.Bytes(), &e)
					if w.Code != want || (e.Error != nil) != (want != 200) || e.Error != nil && e.Error.Code != code {
						t.Errorf("%s %s with %s key, origin %q, cookie %v: %d %s", c.method, c.path, name, origin, cookie, w.Code, w.Body)
					}
					if len(w.Header().Values("Set-Cookie")) > 0 {
						t.Error("a cookie is set")
					}
					for f := range w.Header() {
						if strings.HasPrefix(f, "Access-Control-") {
							t.Errorf("a page may read it: %s", f)
						}
					}
					checkFields(t, c.method, c.path, w)
					cells++
				}
			}
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if method != c.method {
				if w := h.do(method, c.path, "", bearerOf(key), field("Origin", listedOrigin), field("Access-Control-Request-Method", c.method)); w.Code != 405 || w.Header().Get("Access-Control-Allow-Methods") != "" {
					t.Errorf("%s %s: %d", method, c.path, w.Code)
				}
			}
		}
	}
	t.Logf("%d cells", cells)
	without := newHouse(t)
	if w := without.do("GET", feedPath, "", bearerOf(key)); w.Code != 404 {
		t.Errorf("without a feed: %d", w.Code)
	}
}

func TestTheFeedAnswersAsDescribed(t *testing.T) {
	h, f, _, key := serviceHouse(t)
	close(f.out)
	w := h.do("GET", feedPath+"?after=A._-9&wait=20", "", bearerOf(key))
	if want := `{"success":true,"data":{"position":"pA._-9","gap":false,"held_ms":1001,"age_ms":2,"more":false,"events":[{"event":"keys.changed"},{"event":"sessions.cut"}]}}` + "\n"; w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, query := range []string{"?wait=21", "?wait=-1", "?wait=1.5", "?wait=", "?wait=x", "?wait=1&wait=1", "?after=", "?after=a&after=b", "?wait=256", "?since=x", "?after=%zz", "?wait=+1", "?wait=0x1"} {
		if w := h.do("GET", feedPath+query, "", bearerOf(key)); w.Code != 400 || !strings.Contains(w.Body.String(), "invalid_request") {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := h.do("GET", feedPath, `{"x":1}`, bearerOf(key)); w.Code != 400 {
		t.Errorf("a body: %d", w.Code)
	}
}

func TestServicesBodiesAreStrict(t *testing.T) {
	h, f, _, key := serviceHouse(t)
	s := h.signIn()
	long := strings.Repeat("x", 300<<10)
	many := strings.Repeat(`{"session_id":"`+s.SessionID+`","generation":1},`, 1001)
	for name, c := range map[string]struct {
		path, body string
		want       int
	}{
		"no token":               {askPath, `{}`, 400},
		"no body":                {askPath, ``, 415},
		"null":                   {askPath, `null`, 400},
		"an unknown field":       {askPath, `{"token":"x","admin":true}`, 400},
		"a field twice":          {askPath, `{"token":"x","token":"y"}`, 400},
		"a negative age":         {askPath, `{"token":"x","max_age":-1}`, 400},
		"an age beyond all":      {askPath, `{"token":"x","max_age":2147483648}`, 400},
		"a fraction":             {askPath, `{"token":"x","max_age":1.5}`, 400},
		"a text":                 {askPath, `{"token":"x","activity":"yes"}`, 400},
		"65 permissions":         {askPath, `{"token":"x","permissions":["a"` + strings.Repeat(`,"a"`, 64) + `]}`, 400},
		"a position that is not": {askPath, `{"token":"x","after":"bad"}`, 400},
		"too large":              {askPath, `{"token":"` + long[:17<<10] + `"}`, 413},
		"no sightings":           {reportsPath, `{"seen":[]}`, 400},
		"null sightings":         {reportsPath, `{"seen":null}`, 400},
		"a null sighting":        {reportsPath, `{"seen":[null]}`, 400},
		"1001 sightings":         {reportsPath, `{"seen":[` + many[:len(many)-1] + `]}`, 400},
		"no generation":          {reportsPath, `{"seen":[{"session_id":"` + s.SessionID + `"}]}`, 400},
		"generation 0":           {reportsPath, `{"seen":[{"session_id":"` + s.SessionID + `","generation":0}]}`, 400},
		"a negative generation":  {reportsPath, `{"seen":[{"session_id":"` + s.SessionID + `","generation":-1}]}`, 400},
		"a generation too large": {reportsPath, `{"seen":[{"session_id":"` + s.SessionID + `","generation":4294967296}]}`, 400},
		"no id":                  {reportsPath, `{"seen":[{"generation":1}]}`, 400},
		"an id that is none":     {reportsPath, `{"seen":[{"session_id":"sess_0","generation":1}]}`, 400},
		"a report too large":     {reportsPath, `{"seen":[{"session_id":"` + long + `","generation":1}]}`, 413},
		"a large report":         {reportsPath, `{"seen":[` + many[:1000*(len(many)/1001)-1] + `]}`, 200},
	} {
		w := h.do("POST", c.path, c.body, bearerOf(key))
		if w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), s.SessionID) || strings.Contains(w.Body.String(), "xxx") {
			t.Errorf("%s: the answer repeats what was sent", name)
		}
	}
	f.reached = false
	w := h.do("POST", askPath, `{"token":"`+s.SessionToken+`","after":"p"}`, bearerOf(key))
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"data":{"valid":false,"reason":"unavailable"}`) || w.Header().Get("Retry-After") == "" {
		t.Errorf("a node that is behind: %d %s", w.Code, w.Body)
	}
}

// A service is told what the session's own client is told, and of the
// generations.
func TestAServiceIsToldWhatAClientIs(t *testing.T) {
	h, _, _, key := serviceHouse(t)
	s := h.signIn()
	own := answered[map[string]any](t, h.do("GET", api.BasePath+"/sessions/validate", "", bearerOf(s.SessionToken), field("Session-Activity", "background")))
	told := answered[map[string]any](t, h.do("POST", askPath, `{"token":"`+s.SessionToken+`","permissions":["read:profile"],"max_age":60,"after":"p"}`, bearerOf(key)))
	if told["generation"] != 1.0 || told["min_gen"] != 1.0 {
		t.Errorf("%v", told)
	}
	delete(told, "generation")
	delete(told, "min_gen")
	if a, b := mustText(t, own), mustText(t, told); a != b {
		t.Errorf("told %s\nand %s", a, b)
	}
	h.clock.Advance(2 * time.Minute)
	for _, c := range []struct {
		ask, query string
	}{
		{`"permissions":["write:therapy_notes"]`, "?permission=write:therapy_notes"},
		{`"max_age":60`, "?max_age=60"},
	} {
		a := h.do("GET", api.BasePath+"/sessions/validate"+c.query, "", bearerOf(s.SessionToken))
		b := h.do("POST", askPath, `{"token":"`+s.SessionToken+`",`+c.ask+`}`, bearerOf(key))
		if a.Code == 200 || a.Code != b.Code || a.Body.String() != b.Body.String() || a.Header().Get("WWW-Authenticate") != b.Header().Get("WWW-Authenticate") {
			t.Errorf("%s: %d %s\n%d %s", c.ask, a.Code, a.Body, b.Code, b.Body)
		}
	}
	for _, token := range []string{"x", s.RefreshToken, key} {
		a := h.do("GET", api.BasePath+"/sessions/validate", "", bearerOf(token))
		b := h.do("POST", askPath, `{"token":"`+token+`"}`, bearerOf(key))
		if a.Code != 401 || a.Code != b.Code || a.Body.String() != b.Body.String() {
			t.Errorf("%d %s\n%d %s", a.Code, a.Body, b.Code, b.Body)
		}
	}
}

func mustText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Those who wait for events are no load: they take no place of those who are
// served, and there are not too many of one service.
func TestWaitingServicesTakeNobodysPlace(t *testing.T) {
	h, f, _, key := serviceHouse(t, func(o *Options) { o.InService = 2 })
	_, other, err := h.service.AddService(t.Context(), "other", act)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	got := make(chan int, maxHeld+1)
	wait := func(key string) {
		all.Go(func() { got <- h.do("GET", feedPath+"?after=p&wait=20", "", bearerOf(key)).Code })
		<-f.in // it waits, so its place is free
	}
	for range maxHeld {
		wait(key)
	}
	if w := h.do("GET", feedPath+"?after=p&wait=20", "", bearerOf(key)); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more waits: %d %s", w.Code, w.Body)
	}
	wait(other)
	for range 2 {
		if w := h.do("GET", feedPath+"?after=p", "", bearerOf(key)); w.Code != 200 {
			t.Errorf("who does not wait: %d %s", w.Code, w.Body)
		}
	}
	close(f.out)
	all.Wait()
	for range maxHeld + 1 {
		if code := <-got; code != 200 {
			t.Fatalf("who waited: %d", code)
		}
	}
	if w := h.do("GET", feedPath+"?after=p&wait=20", "", bearerOf(key)); w.Code != 200 {
		t.Errorf("when the others were answered: %d", w.Code)
	}
}

func TestAKeyThatIsRevokedMeanwhileGetsNoEvents(t *testing.T) {
	h, f, who, key := serviceHouse(t)
	got := make(chan *httptest.ResponseRecorder)
	go func() { got <- h.do("GET", feedPath+"?after=p&wait=20", "", bearerOf(key)) }()
	<-f.in
	if _, err := h.service.RevokeService(t.Context(), who.ID, act); err != nil {
		t.Fatal(err)
	}
	close(f.out)
	if w := <-got; w.Code != 401 || strings.Contains(w.Body.String(), "events") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// No rate holds services up; whoever tries keys is held up as any stranger is.
func TestServicesAreNotLimitedAndStrangersAre(t *testing.T) {
	h, _, _, key := serviceHouse(t, func(o *Options) { o.Limits = &Limits{Address: 5, Session: 1, Professional: 1, Pseudonym: 1} })
	for range 50 {
		if w := h.do("GET", feedPath, "", bearerOf(key)); w.Code != 200 || w.Header().Get("RateLimit") != "" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := h.do("POST", askPath, `{"token":"x"}`, bearerOf(key)); w.Code != 401 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	codes := map[int]int{}
	for range 10 {
		codes[h.do("GET", feedPath, "", bearerOf("svc_"+strings.Repeat("a", 16)+"_"+strings.Repeat("A", 43))).Code]++
	}
	if codes[401] != 5 || codes[429] != 5 {
		t.Errorf("who tries keys gets %v", codes)
	}
	if w := h.do("GET", feedPath, "", bearerOf(key)); w.Code != 200 {
		t.Errorf("a service behind the same address: %d", w.Code)
	}
}

// A request that waits outlives the time-out of reading requests: it is over
// when its request has been read.
func TestAWaitOutlivesTheReadTimeout(t *testing.T) {
	h, f, _, key := serviceHouse(t)
	srv := httptest.NewUnstartedServer(h.handler)
	srv.Config.ReadTimeout = 50 * time.Millisecond
	srv.Start()
	defer srv.Close()
	go func() {
		<-f.in
		time.Sleep(200 * time.Millisecond) // four times the time-out
		close(f.out)
	}()
	req, err := http.NewRequest("GET", srv.URL+feedPath+"?after=p&wait=20", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "sessions.example.org"
	bearerOf(key)(req)
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
}
