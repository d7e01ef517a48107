package token_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

// spellings are the ways in which printing might show bytes.
func spellings(b []byte) []string {
	return []string{
		string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), fmt.Sprintf("% x", b),
		base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		strings.Trim(fmt.Sprint(b), "[]"), strings.Trim(fmt.Sprintf("%#v", b), "[]byte{}"), strings.Trim(strings.ReplaceAll(fmt.Sprint(b), " ", ","), "[]"),
	}
}

// printed is v by every verb of fmt that vet lets pass for a value (%p is not
// one), both handlers of slog and JSON, alone and
// inside other values.
func printed(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	for _, v := range []any{v, &v, []any{v}, map[string]any{"k": v}, struct{ V any }{v}} {
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %o %b %c %U %t %e %T") {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("seen", "value", v, slog.Group("in", "value", v))
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
	}
	return out.String()
}

func TestKeysDoNotPrintTheirSecret(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		type holder struct {
			key   *token.Key
			value token.Key
		}
		for _, v := range []any{k, *k, &k, holder{k, *k}, &holder{k, *k}, token.NewKeySet(issuer, k)} {
			out := printed(t, v)
			for _, s := range spellings(k.Secret()[:16]) {
				if strings.Contains(out, s) {
					t.Errorf("%s: %T shows its secret as %q", alg, v, s)
				}
			}
		}
		if got := fmt.Sprintf("%+v", k); got != "token.Key("+string(alg)+" key-1)" {
			t.Error(got)
		}
	}
}

func TestRefreshDoesNotPrintItsSecrets(t *testing.T) {
	k := refreshKeys()
	raw := k.Session(seed(9)).Mint(sessionID(t), 7)
	r, err := k.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := base64.RawURLEncoding.DecodeString(raw[3:])
	if err != nil {
		t.Fatal(err)
	}
	key := k.Session(seed(9))
	key.Mint(sessionID(t), 7)
	out := printed(t, k) + printed(t, *k) + printed(t, r) + printed(t, &r) + printed(t, key) + printed(t, struct{ keys any }{k})
	tagKey, macKey := seed(0x10), seed(0x40)
	for what, b := range map[string][]byte{"tag key": tagKey[:16], "MAC key": macKey[:16], "tag": proof[26:42], "MAC": proof[42:58]} {
		for _, s := range spellings(b) {
			if strings.Contains(out, s) {
				t.Errorf("the %s shows as %q", what, s)
			}
		}
	}
	if got := fmt.Sprintf("%v %v", k, r); got != "token.RefreshKeys(epoch 3) token.Refresh("+sessionID(t).String()+" 7)" {
		t.Error(got)
	}
}
