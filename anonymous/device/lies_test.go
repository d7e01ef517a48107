package device

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/sessiontest"
)

// A service that lies learns nothing: no proof is made for it, and what was
// known of it before stays known.
func TestALyingServiceGetsNoProof(t *testing.T) {
	challenge := func(change func(c map[string]any)) func(*world) {
		return func(w *world) { w.lie("POST", "/challenge", change) }
	}
	group := func(change func(g map[string]any)) func(*world) {
		return func(w *world) { w.lie("GET", "/anonymous/group", change) }
	}
	page := func(change func(members []any) []any) func(*world) {
		return func(w *world) {
			w.grow(w.members, 1) // so that a page is asked for
			w.lie("GET", "/anonymous/pages/", func(p map[string]any) { p["members"] = change(p["members"].([]any)) })
		}
	}
	list := func(change func(roots []any) []any) func(*world) {
		return func(w *world) {
			for range 3 {
				w.grow(w.members, 1)
			}
			w.lie("GET", "/anonymous/roots", func(l map[string]any) { l["roots"] = change(l["roots"].([]any)) })
		}
	}
	scope := func(epoch uint64) string {
		return anonymous.ServiceID("app.example.com").NewChallenge("n", epoch).Scope
	}
	another, _, _ := ed25519.GenerateKey(nil)
	blown := func(data map[string]any) { data["more"] = strings.Repeat("x", maxList) }

	for name, c := range map[string]struct {
		lies func(*world)
		want error
	}{
		"an older epoch's scope": {challenge(func(c map[string]any) { c["scope"] = scope(684) }), anonymous.ErrChallengeScope},
		"another service's scope": {challenge(func(c map[string]any) {
			c["scope"] = anonymous.ServiceID("x").NewChallenge("n", 685).Scope
		}), anonymous.ErrChallengeScope},
		"no scope":         {challenge(func(c map[string]any) { delete(c, "scope") }), anonymous.ErrChallengeScope},
		"another message":  {challenge(func(c map[string]any) { c["message"] = "1" }), anonymous.ErrChallengeMessage},
		"another nonce":    {challenge(func(c map[string]any) { c["nonce"] = "n" }), anonymous.ErrChallengeMessage},
		"no nonce":         {challenge(func(c map[string]any) { c["nonce"] = "" }), anonymous.ErrName},
		"a later epoch":    {challenge(func(c map[string]any) { c["epoch"], c["scope"] = 686, scope(686) }), anonymous.ErrChallengeEpoch},
		"an older epoch":   {challenge(func(c map[string]any) { c["epoch"], c["scope"] = 684, scope(684) }), anonymous.ErrChallengeEpoch},
		"no epoch":         {challenge(func(c map[string]any) { delete(c, "epoch") }), anonymous.ErrChallengeEpoch},
		"a negative epoch": {challenge(func(c map[string]any) { c["epoch"] = -1 }), ErrAnswer},
		"the neighbour's epoch beside the turn": {func(w *world) {
			w.clock.Advance(anonymous.Epochs{}.EpochEnd(685).Sub(w.clock.Now()) - time.Hour)
			w.lie("POST", "/challenge", func(c map[string]any) { c["epoch"], c["scope"] = 686, scope(686) })
		}, ErrTurn},
		"a challenge without end": {challenge(blown), ErrAnswer},

		"another history": {func(w *world) {
			fork := w.fork()
			w.grow(w.members, 1)
			w.look()
			w.grow(fork, 2)
			w.grow(fork, 3)
			w.members = fork
		}, anonymous.ErrFork},
		"another history of the same length": {func(w *world) {
			fork := w.fork()
			w.grow(w.members, 1)
			w.look()
			w.grow(fork, 2)
			w.members = fork
		}, anonymous.ErrFork},
		"an older group": {func(w *world) {
			fork := w.fork()
			w.grow(w.members, 1)
			w.look()
			w.members = fork
		}, anonymous.ErrRollback},
		"nobody any more":    {group(func(g map[string]any) { g["size"], g["signature"] = 0, "" }), anonymous.ErrSnapshot},
		"a gap":              {list(func(roots []any) []any { return roots[max(0, len(roots)-1):] }), anonymous.ErrGap},
		"a gap in between":   {list(func(roots []any) []any { return slices.Delete(roots, min(1, len(roots)), min(2, len(roots))) }), anonymous.ErrFork},
		"another order":      {list(func(roots []any) []any { slices.Reverse(roots); return roots }), anonymous.ErrFork},
		"a hidden list":      {list(func([]any) []any { return []any{} }), ErrHead},
		"a list of nonsense": {list(func([]any) []any { return []any{"x"} }), ErrAnswer},
		"a list of too many": {list(func(roots []any) []any {
			for len(roots) > 0 && len(roots) <= maxEntries {
				roots = append(roots, roots[0])
			}
			return roots
		}), ErrAnswer},
		"a list that never ends": {func(w *world) {
			list(func(roots []any) []any { return roots })(w)
			w.lie("GET", "/anonymous/roots", blown)
		}, ErrAnswer},
		"a snapshot of the future": {func(w *world) {
			fork := w.fork()
			fork.Now = func() time.Time { return w.clock.Now().Add(25 * time.Hour) }
			fork.Strangers(1)
			fork.Publish()
			w.members = fork
		}, anonymous.ErrFuture},
		"a list signed by another": {func(w *world) {
			fork := w.fork()
			_, fork.Key, _ = ed25519.GenerateKey(nil)
			w.grow(fork, 1)
			key := FormatKey(w.members.Key.Public().(ed25519.PublicKey))
			for _, path := range []string{"/anonymous/group", "/anonymous/roots"} {
				w.lie("GET", path, func(g map[string]any) { g["key"] = key })
			}
			w.members = fork
		}, anonymous.ErrSignature},

		"another key":                  {group(func(g map[string]any) { g["key"] = FormatKey(another) }), ErrPins},
		"another service id":           {group(func(g map[string]any) { g["service_id"] = "app.example.org" }), ErrPins},
		"another epoch length":         {group(func(g map[string]any) { g["epoch_length"] = 86400 }), ErrPins},
		"no epoch length":              {group(func(g map[string]any) { g["epoch_length"] = 0 }), anonymous.ErrEpochs},
		"an epoch without end":         {group(func(g map[string]any) { g["epoch_length"] = json.Number("9223372036854775807") }), anonymous.ErrEpochs},
		"no key":                       {group(func(g map[string]any) { g["key"] = "" }), ErrAnswer},
		"a group without end":          {group(blown), ErrAnswer},
		"another size":                 {group(func(g map[string]any) { g["size"] = 5 }), anonymous.ErrSignature},
		"another root":                 {group(func(g map[string]any) { g["root"] = "5" }), anonymous.ErrSignature},
		"root 0":                       {group(func(g map[string]any) { g["root"] = "0" }), anonymous.ErrSnapshot},
		"a root's alias":               {group(func(g map[string]any) { g["root"] = "0" + g["root"].(string) }), anonymous.ErrSnapshot},
		"a group ahead of the list":    {group(func(g map[string]any) { g["number"] = 9 }), ErrHead},
		"other pages":                  {group(func(g map[string]any) { g["page_roots"] = []string{"5"} }), anonymous.ErrPages},
		"a page more":                  {group(func(g map[string]any) { g["page_roots"] = append(g["page_roots"].([]any), "5") }), anonymous.ErrPages},
		"no pages":                     {group(func(g map[string]any) { g["page_roots"] = []string{} }), anonymous.ErrPages},
		"pages that are none":          {group(func(g map[string]any) { g["page_roots"] = []string{"x"} }), ErrAnswer},
		"a page of others":             {page(func(m []any) []any { m[0] = "5"; return m }), anonymous.ErrPage},
		"a member left out":            {page(func(m []any) []any { return m[1:] }), anonymous.ErrPage},
		"a member more":                {page(func(m []any) []any { return append(m, "0") }), anonymous.ErrPage},
		"a page of its root":           {page(func([]any) []any { return []any{"5"} }), anonymous.ErrPage},
		"an empty page":                {page(func([]any) []any { return nil }), anonymous.ErrPage},
		"a page in another spelling":   {page(func(m []any) []any { m[0] = "0" + m[0].(string); return m }), semaphore.ErrNumber},
		"a page of members and blocks": {page(func(m []any) []any { m[0] = strings.Repeat("9", maxPage); return m }), ErrAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 3)
			w.join()
			w.look()
			honest := w.members
			c.lies(w)
			w.asked()
			w.stages = nil
			if _, err := w.device.SignIn(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if slices.Contains(w.stages, Proving) {
				t.Error("a proof was made")
			}
			for _, call := range told(t, w.asked()) {
				if strings.Contains(call, "/sessions") {
					t.Error("a proof was sent")
				}
			}
			// Nothing of the lie was kept: the honest history goes on from here.
			w.members, w.lies = honest, nil
			w.publish(honest)
			if v := w.look(); !v.Entered {
				t.Error("no member any more")
			}
		})
	}
}

// fork returns the service as it is now, to go on in another way.
func (w *world) fork() *sessiontest.Members { return w.members.Fork() }

// grow lets n strangers into a group.
func (w *world) grow(m *sessiontest.Members, n int) {
	m.Strangers(n)
	w.publish(m)
}

// The first list is taken on trust, but not against what a person knows.
func TestAPersonsPinsHoldAtTheFirstContact(t *testing.T) {
	_, another, _ := ed25519.GenerateKey(nil)
	for name, pins := range map[string]Pins{
		"service id":   {Service: "another"},
		"epoch length": {EpochLength: 24 * time.Hour},
		"key":          {Key: another.Public().(ed25519.PublicKey)},
	} {
		w := newWorld(t, 3)
		w.device.Pins = pins
		if _, err := w.device.Look(t.Context()); !errors.Is(err, ErrPins) || !strings.Contains(err.Error(), strings.Fields(name)[0]) {
			t.Errorf("another %s: %v", name, err)
		}
		if known, err := w.device.load(); known != nil || err != nil {
			t.Errorf("another %s is kept: %+v, %v", name, known, err)
		}
		w.device.Pins = Pins{"app.example.com", anonymous.DefaultEpoch, w.members.Key.Public().(ed25519.PublicKey)}
		w.look()
	}
}

func TestAListInSmallPiecesIsFollowed(t *testing.T) {
	w := newWorld(t, 1)
	w.look()
	for range 3 {
		w.grow(w.members, 1)
	}
	w.lie("GET", "/anonymous/roots", func(l map[string]any) {
		roots := l["roots"].([]any)
		l["roots"] = roots[:min(1, len(roots))]
	})
	if v := w.look(); v.Snapshot.Number != 3 {
		t.Errorf("%+v", v.Snapshot)
	}
}

// Whoever was lied to goes on only by their own word, and is still the same.
func TestForgettingTheGroupStartsTrustAnew(t *testing.T) {
	w := newWorld(t, 3)
	w.join()
	own := w.look().Own
	w.members = sessiontest.NewMembers("app.example.com", w.clock.Now)
	w.grow(w.members, 2)
	if _, err := w.device.Look(t.Context()); !errors.Is(err, ErrPins) {
		t.Errorf("%v, want ErrPins", err)
	}
	w.ok(w.device.Forget())
	if v := w.look(); v.Own != own || v.Entered || v.Members != 2 {
		t.Errorf("%+v", v)
	}
	w.ok(w.device.Forget())
	w.ok(w.device.Forget())
}

func TestAnEnrolmentThatIsAskedForWronglyIsNotProven(t *testing.T) {
	service := anonymous.ServiceID("app.example.com")
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   error
	}{
		"an epoch's scope":     {func(c map[string]any) { c["scope"] = service.NewChallenge("n", 685).Scope }, anonymous.ErrChallengeScope},
		"another nonce's":      {func(c map[string]any) { c["scope"] = service.NewEnrolment("n").Scope }, anonymous.ErrChallengeScope},
		"another message":      {func(c map[string]any) { c["message"] = "1" }, anonymous.ErrChallengeMessage},
		"nothing to be proven": {func(c map[string]any) { clear(c) }, anonymous.ErrName},
	} {
		w := newWorld(t, 3)
		w.lie("POST", "/challenge", c.change)
		if _, err := w.device.Enrol(t.Context(), "a-standard-session"); !errors.Is(err, c.want) || slices.Contains(w.stages, Proving) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
