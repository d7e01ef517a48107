package server_test

import (
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

const mainnetKey = "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae"

func TestConfiguredRootKeys(t *testing.T) {
	local := sessiontest.NewRoot().PublicKey()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		keys []string
		want string
	}{
		"none":                         {nil, ""},
		"hex":                          {[]string{hex.EncodeToString(local)}, ""},
		"a file":                       {[]string{write("key.pem", "PUBLIC KEY", local)}, ""},
		"two local ones":               {[]string{hex.EncodeToString(local), hex.EncodeToString(sessiontest.NewRoot().PublicKey())}, ""},
		"the mainnet's":                {[]string{mainnetKey}, ""},
		"the mainnet's beside another": {[]string{hex.EncodeToString(local), mainnetKey}, "stands alone"},
		"short":                        {[]string{hex.EncodeToString(local[:80])}, "not a root key"},
		"empty":                        {[]string{""}, "not a root key"},
		"no file":                      {[]string{filepath.Join(dir, "none.pem")}, "no such file"},
		"a private key":                {[]string{write("private.pem", "PRIVATE KEY", local)}, "not a public key"},
		"an address":                   {[]string{"https://icp-api.io/api/v2/status"}, "no such file"},
	} {
		c := server.DefaultConfig()
		c.ICPRootKeys = test.keys
		err := c.Check()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A person of Internet Identity, on a network that the configuration names and on
// one that it does not, and a passkey without any network.
func TestInternetIdentityAndPasskeysOpenSessions(t *testing.T) {
	ic, foreign := sessiontest.NewInternetComputer(sessiontest.Sharded), sessiontest.NewInternetComputer(sessiontest.Sharded)
	w := newWorld(t, func(c *server.Config) { c.ICPRootKeys = []string{hex.EncodeToString(ic.Root.PublicKey())} })
	signIn := func(who *icp.Identity) answer {
		return w.call("POST", "/api/auth/sessions", w.credential(who), api.CreateRequest{})
	}
	// Of the 8 hours one is over: no end of the session lies beyond the delegation's.
	ada, err := ic.SignIn("ada", w.clock.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	a := signIn(ada)
	if a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	s := data[api.Tokens](t, a)
	if s.SessionExpiresAt != "2026-11-23T17:00:00Z" || s.ExpiresAt != "2026-11-23T17:00:00Z" {
		t.Errorf("beyond the delegation: %+v", s)
	}
	if v := data[api.Validation](t, w.validate(s.SessionToken)); v.Principal != ada.Principal() {
		t.Errorf("%+v", v)
	}
	eve, err := foreign.SignIn("ada", w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.want(signIn(eve), 401, api.CredentialInvalid)
	p, err := sessiontest.NewPasskey("app.example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.want(signIn(p.Identity()), 201, "")
}
