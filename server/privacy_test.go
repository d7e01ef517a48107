package server_test

import (
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/token"
)

var flows = flag.Int("flows", 50, "how many anonymous sessions live and are looked for (1000: eight minutes); under the race detector a fifth of the default")

// kind is a kind of mark that is planted, and the columns in which it may stand.
type kind struct {
	name string
	*hunt
	allowed []string
}

// diary is everything that the flows show the service, by kind.
type diary struct {
	w *world

	device, number, token, requestID, knownRequestID    *kind // number: of a proof
	userID, account, commitment, pseudonym, anonymousID *kind

	kinds   []*kind
	service string // a service's key

	named bool     // the calls are made under a name
	keys  [][]byte // of challenges that were answered for anonymous sessions
}

func newDiary(w *world) *diary {
	d := &diary{w: w}
	add := func(name string, allowed ...string) *kind {
		k := &kind{name, newHunt(), allowed}
		d.kinds = append(d.kinds, k)
		return k
	}
	d.device = add("an address or a user agent")
	d.number = add("a part of a proof")
	d.token = add("a secret")
	d.requestID = add("an anonymous call's request id")
	d.knownRequestID = add("a request id", "records.request_id")
	d.userID = add("a user", "sessions.subject_id", "rosters.subject_id", "accounts.user_id", "events.subject_id", "records.subject_id", "members.user_id", "commitments.user_id")
	d.account = add("an account", "sessions.address", "accounts.account")
	d.commitment = add("a commitment", "members.current", "members.next", "commitments.commitment", "places.commitment",
		"snapshots.body") // the root of a group of one is its member
	d.pseudonym = add("a pseudonym", "sessions.subject_id", "rosters.subject_id", "anonymous_events.subject_id", "anonymous_records.subject_id")
	d.anonymousID = add("an anonymous session", "sessions.id", "rosters.sessions", "anonymous_events.session_id", "anonymous_records.session_id")
	d.service = w.newService("chat").Key
	w.mark, w.watch = d.mark, d.watch
	return d
}

// mark plants what a request tells of the device that sends it.
func (d *diary) mark(r *http.Request) {
	var a [16]byte
	binary.BigEndian.PutUint32(a[:], 0x20010db8)
	for i := 4; i < 16; i++ {
		a[i] = byte(rand.IntN(256))
	}
	address := netip.AddrFrom16(a).StringExpanded()
	d.device.add(address)
	d.device.add(string(a[:]))
	r.Header.Set("X-Forwarded-For", address)
	for _, name := range []string{"User-Agent", "X-Request-Id", "Request-Id", "Accept-Language", "Referer", "X-Real-Ip", "Forwarded"} {
		text := fmt.Sprintf("%016x of this device", rand.Uint64())
		d.device.add(text)
		r.Header.Set(name, text)
	}
}

// watch notes what the answer gave out.
func (d *diary) watch(_ *http.Request, a answer) {
	if id, ok := strings.CutPrefix(a.Header.Get("Request-Id"), "req_"); ok {
		if d.named {
			d.knownRequestID.add(id)
		} else {
			d.requestID.add(id)
		}
	}
	var out api.Envelope[api.Tokens]
	if json.Unmarshal(a.Body, &out) == nil && out.Data != nil && out.Data.RefreshToken != "" {
		d.token.pair(*out.Data)
	}
}

// person notes who a member is.
func (d *diary) person(m *member) {
	d.w.t.Helper()
	v := data[api.Validation](d.w.t, d.w.validate(m.token))
	d.userID.add(v.UserID[len("user_"):])
	d.account.add(m.wallet.Principal())
	d.scalar(d.commitment, m.secret.Commitment())
}

// scalar adds a number as text and as bytes, in both orders.
func (d *diary) scalar(k *kind, decimal string) {
	d.w.t.Helper()
	k.add(decimal)
	b := number(decimal).FillBytes(make([]byte, 32))
	k.add(string(b))
	slices.Reverse(b)
	k.add(string(b))
}

func (d *diary) proof(p anonymous.Proof) {
	d.w.t.Helper()
	d.scalar(d.number, p.Nullifier)
	for _, point := range p.Points {
		d.scalar(d.number, point)
	}
}

// answered notes the key under which a challenge is used up.
func (d *diary) answered(nonce string) {
	d.w.t.Helper()
	b, err := base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding).DecodeString(nonce)
	if err != nil {
		d.w.t.Fatal(err)
	}
	d.keys = append(d.keys, b[4:20])
	d.token.add(nonce[32:]) // its MAC
}

// flow is the life of an anonymous session, some of it refused.
func (d *diary) flow(m *member) {
	w := d.w
	w.t.Helper()
	const sessions = "/api/auth/sessions"
	w.clock.Advance(time.Duration(rand.IntN(20_000)+1) * time.Millisecond)
	w.call("GET", "/api/auth/anonymous/roots", "", nil)
	c := w.anonymousChallenge()
	credential := m.credential(c)
	d.answered(c.Nonce)
	d.proof(credential.Proof)
	bad := credential
	bad.Challenge = strings.Repeat("a", 64)
	w.want(w.create(bad), 401, api.ChallengeInvalid)
	a := w.create(credential)
	if a.Status != http.StatusCreated {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	w.want(w.create(credential), 401, api.ChallengeInvalid)
	s := data[api.Tokens](w.t, a)
	id, err := token.ParseID(s.SessionID)
	if err != nil {
		w.t.Fatal(err)
	}
	d.anonymousID.add(string(id[5:]))
	d.anonymousID.add(s.SessionID[len("anon_")+7:]) // the time is behind it
	d.pseudonym.add(data[api.Validation](w.t, w.validate(s.SessionToken)).AnonymousID[len("anon_"):])
	for _, path := range []string{sessions, sessions + "/current", sessions + "/validate?permission=x"} {
		w.call("GET", path, s.SessionToken, nil)
	}
	w.call("POST", sessions+"/activity", s.SessionToken, nil)
	w.want(w.refresh(s.RefreshToken+"x"), 401, api.RefreshFailed)
	w.want(w.call("POST", sessions, "", api.CreateRequest{SessionType: "anonymous", Credential: "nonsense"}), 401, api.CredentialInvalid)
	w.clock.Advance(time.Duration(rand.IntN(3000)+1) * time.Millisecond)
	s = data[api.Tokens](w.t, w.refresh(s.RefreshToken))
	w.want(w.validate(s.SessionToken), 200, "")
	w.want(w.call("POST", "/api/auth/anonymous/members", s.SessionToken, m.enrolmentOf(c)), 400, api.InvalidRequest)
	w.want(w.call("POST", "/service/v1/validate", d.service, api.ServiceValidateRequest{Token: s.SessionToken, Activity: true}), 200, "")
	w.want(w.call("POST", "/service/v1/reports", d.service, api.Report{Seen: []api.Seen{{SessionID: s.SessionID, Generation: 2, Active: true}}}), 200, "")
	if rand.IntN(3) == 0 {
		w.want(w.call("POST", sessions+"/logout", s.SessionToken, nil), 200, "")
	}
}

// enrolmentOf is nonsense of an enrolment's form.
func (m *member) enrolmentOf(c api.Challenge) api.EnrolRequest {
	return api.EnrolRequest{Commitment: m.secret.Commitment(), Challenge: c.Nonce, Proof: json.RawMessage(`{}`)}
}

// private is how a service runs whose marks are looked for: behind a proxy, with
// its limits, and its log at a level.
func private(level string) func(*server.Config) {
	return func(c *server.Config) {
		limited(c)
		behind(c)
		openGroup(c)
		few := 3
		c.Anonymous.MinMembers = &few
		c.LogLevel = level
		c.Limits.PseudonymPerMinute = 1000
	}
}

// population enrols some members, each in five minutes of their own. Before they
// are enough, they are told so.
func (d *diary) population(size int) (members []*member) {
	d.w.t.Helper()
	for range size {
		if len(members) < 3 {
			d.w.want(d.w.call("GET", "/api/auth/anonymous/group", "", nil), 503, api.Unavailable)
			d.w.want(d.w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{SessionType: "anonymous"}), 503, api.Unavailable)
		}
		d.named = true
		m := d.w.newMember()
		d.person(m)
		e := m.enrolment()
		d.answered(e.Challenge)
		var proof anonymous.Proof
		if err := json.Unmarshal(e.Proof, &proof); err != nil {
			d.w.t.Fatal(err)
		}
		d.proof(proof)
		m.enters(e)
		members = append(members, m)
		d.named = false
		d.w.clock.Advance(anonymous.Coarse)
	}
	return members
}

// PRI-02: of the flows of anonymous sessions, nothing that was planted comes
// back: not in a column that may not hold it, not in the bytes of the files, not
// in the log. What a row may hold is in decided.
func TestNothingOfAnAnonymousSessionComesBack(t *testing.T) {
	flows := *flows
	if flows == 50 {
		flows = large(flows)
	}
	w := newWorld(t, private("info"))
	w.many = flows > 100
	d := newDiary(w)
	members := d.population(5)
	for i := range flows {
		d.flow(members[i%len(members)])
	}
	path := filepath.Join(w.data, "sessions.db")
	fine := func() (n int) {
		for _, line := range first(undecided(dump(t, path))) {
			if strings.HasPrefix(line, "sessions.stepped_at") {
				n++
			}
		}
		return n
	}
	if fine() == 0 {
		t.Error("no step's time was ever finer than five minutes: this test sees none")
	}
	w.clock.Advance(123 * time.Second)
	w.eventually(func() bool { return fine() == 0 })

	look := func(when string) {
		t.Helper()
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil && suffix == "" {
				t.Fatal(err)
			}
			for _, k := range d.kinds {
				if found := k.find(b); found != "" && len(k.allowed) == 0 {
					t.Errorf("%s: %s is in sessions.db%s: %q", when, k.name, suffix, found)
				}
			}
		}
	}
	look("while it runs")
	w.stop()
	look("afterwards")

	tables := dump(t, path)
	found, rows := undecided(tables)
	for _, line := range found {
		t.Error(line)
	}
	if rows < 4*flows { // a session, its records, and events that are not yet swept
		t.Errorf("only %d rows are about pseudonyms", rows)
	}
	values := d.inTheirColumns(tables)
	d.keysAreCoarse(tables)
	d.notInTheLog()
	for line := range strings.Lines(w.log.String()) {
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level != "INFO" || !slices.Contains([]string{"live sessions loaded", "serving", "draining", "stopped"}, entry.Msg) {
			t.Errorf("the log tells: %s", line)
		}
	}
	t.Logf("%d flows, %d rows about pseudonyms, %d values", flows, rows, values)
}

func first[A, B any](a A, _ B) A { return a }

// inTheirColumns holds every value against every mark, and returns how many
// values there were. Every kind that may be somewhere must be.
func (d *diary) inTheirColumns(tables []table) (values int) {
	seen := map[*kind]bool{}
	for _, tb := range tables {
		for _, row := range tb.rows {
			for i, v := range row {
				var b []byte
				switch v := v.(type) {
				case string:
					b = []byte(v)
				case []byte:
					b = v
				}
				values++
				for _, k := range d.kinds {
					if k.find(b) == "" {
						continue
					}
					seen[k] = true
					if name := tb.name + "." + tb.columns[i]; !slices.Contains(k.allowed, name) {
						d.w.t.Errorf("%s holds %s: %q", name, k.name, v)
					}
				}
			}
		}
	}
	for _, k := range d.kinds {
		if seen[k] != (len(k.allowed) > 0) {
			d.w.t.Errorf("%s: %d were looked for, found: %v", k.name, k.secrets, seen[k])
		}
	}
	return values
}

// keysAreCoarse holds what is kept of answered challenges against their times.
func (d *diary) keysAreCoarse(tables []table) {
	found := 0
	for _, tb := range tables {
		if tb.name != "nonces" {
			continue
		}
		for _, row := range tb.rows {
			key := row[0].([]byte)
			if slices.ContainsFunc(d.keys, func(k []byte) bool { return string(k) == string(key[4:]) }) {
				found++
				if err := bucketKey(key); err != nil {
					d.w.t.Errorf("nonces.key: %v", err)
				}
			}
		}
	}
	if found != len(d.keys) {
		d.w.t.Errorf("of %d answered challenges %d are kept", len(d.keys), found)
	}
}

func keySeconds(key []byte) uint32 { return binary.BigEndian.Uint32(key) }

func (d *diary) notInTheLog(but ...*kind) {
	for _, k := range d.kinds {
		if found := k.find(d.w.log.Bytes()); found != "" && !slices.Contains(but, k) {
			d.w.t.Errorf("the log has %s: %q", k.name, found)
		}
	}
}

// At level debug the log is a diary: that there was a call, of which route, when,
// and its request id. It still does not say whose: nothing of the device, no user,
// no session, no pseudonym; and no request id of an anonymous call is stored.
func TestEvenADebugLogNamesNobody(t *testing.T) {
	w := newWorld(t, private("debug"))
	d := newDiary(w)
	members := d.population(4)
	for _, m := range members {
		d.flow(m)
	}
	w.stop()
	d.inTheirColumns(dump(t, filepath.Join(w.data, "sessions.db")))
	d.notInTheLog(d.requestID, d.knownRequestID)
	if d.requestID.find(w.log.Bytes()) == "" {
		t.Error("the log is not at its finest level")
	}
	for line := range strings.Lines(w.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		for name := range entry {
			if !slices.Contains([]string{"time", "level", "msg", "request_id", "route", "method", "status", "code", "cause", "sessions", "unclean_end", "listen", "operator_listen", "public_url", "dev", "limits", "timeout"}, name) {
				t.Errorf("nobody has decided what %q in the log may tell: %s", name, line)
			}
		}
	}
}
