package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

func openCredential(t *testing.T, credential string) (fields map[string]any) {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(credential)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func sealCredential(t *testing.T, fields map[string]any) string {
	t.Helper()
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// wish is a random body of a sign-in, and what is known of it.
type wish struct {
	body        string
	unknown     bool // has a field that is unknown, repeated or of another type
	duration    int64
	permissions []string // nil when not asked
}

func newWish(rng *rand.Rand) (w wish) {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	var fields []string
	put := func(name, value string) { fields = append(fields, fmt.Sprintf("%q:%s", name, value)) }
	if rng.IntN(2) == 0 {
		w.duration = []int64{60, 3600, 43200, 43201, 86400, 1 << 40, 1<<63 - 1, 1 + rng.Int64N(200_000)}[rng.IntN(8)]
		put("duration", fmt.Sprint(w.duration))
	}
	if rng.IntN(2) == 0 {
		w.permissions = []string{}
		for range rng.IntN(5) {
			w.permissions = append(w.permissions, pick("read:profile", "write:messages", "join:groups", "book:sessions", "read:profile", "join:groups",
				"read:all_profiles", "READ:profile", "read:profile ", "*", "", "write:therapy_notes"))
		}
		text, _ := json.Marshal(w.permissions)
		put("permissions", string(text))
	}
	if rng.IntN(3) == 0 {
		put("session_type", pick(`"standard"`, `"standard"`, `"professional"`, `"anonymous"`, `"Standard"`, `"root"`))
	}
	if rng.IntN(4) == 0 {
		put("activity", `"reported"`)
	}
	if rng.IntN(4) == 0 {
		put("device_label", pick(`"Firefox on Android"`, `"\u0000"`))
	}
	if w.unknown = rng.IntN(3) == 0; w.unknown {
		put(pick("expires_at", "session_expires_at", "idle_life", "user_id", "Duration", "PERMISSIONS", "max_live", "generation", "scope", "admin", "__proto__"),
			pick(`1`, `"x"`, `null`, `true`, `["read:all_profiles"]`, `{"a":1}`))
	}
	rng.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	w.body = "{" + strings.Join(fields, ",") + "}"
	return w
}

// LIF-05: a hundred thousand random bodies. Whatever is asked for, the session
// has no more than its policy and no more than was asked; a field that is not
// known is an error.
func TestACreateBodyCanOnlyNarrow(t *testing.T) {
	bodies, opened := large(100_000), large(1000)
	if *long {
		opened = large(30_000)
	}
	w := newFaultyWorld(t)
	defer w.stop()
	const callers = 8
	policy := session.DefaultPolicies()[session.Standard]
	var made, refused, unknown atomic.Int64
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 9))
			w := &faultyWorld{world: &world{t: t}, handler: w.handler, store: w.store}
			w.person = w.newPerson()
			fresh := ""
			for n := range bodies / callers {
				wish := newWish(rng)
				credential := "none"
				if n%(bodies/opened) == 0 && fresh == "" {
					fresh = w.answerTo("", w.signInBody())
				}
				if fresh != "" {
					credential = fresh
				}
				a := w.call("POST", "/api/auth/sessions", credential, wish.body)
				switch {
				case wish.unknown:
					unknown.Add(1)
					if a.Status != 400 || a.code() != api.InvalidRequest {
						t.Errorf("%s: %d %s", wish.body, a.Status, a.Body)
					}
				case a.Status == 201:
					fresh = ""
					made.Add(1)
					s := data[api.Tokens](t, a)
					granted := session.NewPermissions(s.Permissions...)
					if s.SessionType != "standard" || policy.Permissions.Lacking(granted...) != nil || s.ExpiresIn > 43200 ||
						wish.duration > 0 && s.ExpiresIn > wish.duration || wish.permissions != nil && session.NewPermissions(wish.permissions...).Lacking(granted...) != nil {
						t.Errorf("%s was given %s", wish.body, a.Body)
					}
				default:
					refused.Add(1)
					if a.Status != 400 && a.Status != 401 && a.Status != 403 {
						t.Errorf("%s: %d %s", wish.body, a.Status, a.Body)
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d sessions, %d refusals, %d bodies with an unknown field", made.Load(), refused.Load(), unknown.Load())
	if made.Load() < int64(opened)*9/10 {
		t.Error("too few sessions to prove anything")
	}
}
