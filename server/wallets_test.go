package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/test/wallets"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/ethereum"
	"github.com/mentalverse/session/wallet/solana"
)

// account is a person with a wallet of a chain whose accounts are one key.
type account interface {
	Address() string
	Credential(text string) (string, error)
}

func accounts(t *testing.T) map[string]account {
	t.Helper()
	eth, err := ethereum.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sol, err := solana.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]account{"ethereum": eth, "solana": sol}
}

// onEach runs a test for Ethereum and for Solana.
func onEach(t *testing.T, test func(w *world, chain string, who account)) {
	w := newWorld(t)
	people := accounts(t)
	for _, chain := range slices.Sorted(maps.Keys(people)) {
		t.Run(chain, func(t *testing.T) {
			w.t = t
			test(w, chain, people[chain])
		})
	}
	w.t = t
}

// text is that of a fresh challenge.
func (w *world) text(chain string, who account) string {
	w.t.Helper()
	return data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{Chain: chain, Address: who.Address()})).Message
}

// sign returns the credential of who over a text.
func (w *world) sign(who account, text string) string {
	w.t.Helper()
	credential, err := who.Credential(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return credential
}

// present asks for a session.
func (w *world) present(credential string) answer {
	w.t.Helper()
	return w.call("POST", "/api/auth/sessions", credential, nil)
}

// altered changes a credential's parts and leaves its signature.
func (w *world) altered(credential string, change func(*wallet.Credential)) string {
	w.t.Helper()
	c, err := wallet.ParseCredential(credential)
	if err != nil {
		w.t.Fatal(err)
	}
	change(&c)
	again, err := c.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	return again
}

func TestEthereumAndSolanaAccountsSignIn(t *testing.T) {
	onEach(t, func(w *world, chain string, who account) {
		a := w.call("POST", "/api/auth/sessions", w.sign(who, w.text(chain, who)), api.CreateRequest{Permissions: []string{"read:profile"}})
		s := data[api.Tokens](w.t, a)
		v := data[api.Validation](w.t, w.call("GET", "/api/auth/sessions/validate?permission=read:profile", s.SessionToken, nil))
		if v.Address != who.Address() || v.Principal != "" || v.UserID == "" || !slices.Equal(v.Permissions, []string{"read:profile"}) {
			w.t.Errorf("validation: %+v", v)
		}
		w.want(w.call("GET", "/api/auth/sessions/validate?permission=write:messages", s.SessionToken, nil), 403, api.PermissionDenied)
		if current := data[api.Session](w.t, w.call("GET", "/api/auth/sessions/current", s.SessionToken, nil)); current.Address != who.Address() || current.Principal != "" {
			w.t.Errorf("the session: %+v", current)
		}
		if s.SessionExpiresAt != "2026-11-24T10:00:00Z" {
			w.t.Errorf("an account's own key has no end of its own: %s", s.SessionExpiresAt)
		}
		next := data[api.Tokens](w.t, w.refresh(s.RefreshToken))
		again := data[api.Tokens](w.t, w.present(w.sign(who, w.text(chain, who))))
		if other := data[api.Validation](w.t, w.validate(again.SessionToken)); other.UserID != v.UserID {
			w.t.Error("one account is two users")
		}
		w.want(w.call("POST", "/api/auth/sessions/logout", next.SessionToken, nil), 200, "")
		w.want(w.validate(next.SessionToken), 401, api.SessionInvalid)
		w.want(w.validate(again.SessionToken), 200, "")
	})
}

// A key signs with its person each time, so the same key may prove again and
// again that it is there.
func TestEthereumAndSolanaAccountsReauthenticate(t *testing.T) {
	strangers := accounts(t)
	onEach(t, func(w *world, chain string, who account) {
		const reauthenticate = "/api/auth/sessions/reauthenticate"
		s := data[api.Tokens](w.t, w.call("POST", "/api/auth/sessions", w.sign(who, w.text(chain, who)), api.CreateRequest{Permissions: []string{"read:profile"}}))
		ask := func() string {
			w.t.Helper()
			c := data[api.Challenge](w.t, w.call("POST", "/api/auth/challenge", s.SessionToken, api.ChallengeRequest{Purpose: "reauthenticate"}))
			if !strings.Contains(c.Message, "\n"+who.Address()+"\n") || !strings.Contains(c.Message, "Confirm to MentalVerse that it is you") {
				w.t.Errorf("the text: %s", c.Message)
			}
			return c.Message
		}
		for range 2 {
			w.clock.Advance(16 * time.Minute)
			w.want(w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":["read:profile","join:groups"]}`), 401, api.ReauthenticationRequired)
			text := ask()
			w.want(w.call("POST", reauthenticate, s.SessionToken, api.ReauthenticateRequest{Credential: w.sign(strangers[chain], text)}), 401, api.CredentialInvalid)
			credential := w.sign(who, text)
			w.want(w.present(credential), 401, api.ChallengeInvalid) // not for signing in
			s = data[api.Tokens](w.t, w.call("POST", reauthenticate, s.SessionToken, api.ReauthenticateRequest{Credential: credential}))
			w.want(w.call("POST", reauthenticate, s.SessionToken, api.ReauthenticateRequest{Credential: credential}), 401, api.ChallengeInvalid)
		}
		w.want(w.call("POST", reauthenticate, s.SessionToken, api.ReauthenticateRequest{Credential: w.sign(who, w.text(chain, who))}), 401, api.ChallengeInvalid)
		s = data[api.Tokens](w.t, w.call("PATCH", "/api/auth/sessions/current", s.SessionToken, `{"permissions":["read:profile","join:groups"]}`))
		w.want(w.validate(s.SessionToken), 200, "")
	})
}

// Unknown, used, expired and client-made nonces.
func TestAWalletsNonceIsOursAndUsedOnce(t *testing.T) {
	others := newWorld(t)
	onEach(t, func(w *world, chain string, who account) {
		credential := w.sign(who, w.text(chain, who))
		var wg sync.WaitGroup
		var mu sync.Mutex
		codes := map[api.Code]int{}
		for range 8 {
			wg.Go(func() {
				a := w.present(credential)
				mu.Lock()
				defer mu.Unlock()
				codes[a.code()]++
			})
		}
		wg.Wait()
		if codes[""] != 1 || codes[api.ChallengeInvalid] != 7 {
			w.t.Errorf("used eight times: %v", codes)
		}
		nonce := func(made string) string {
			m, err := wallet.ParseMessage(w.text(chain, who))
			if err != nil {
				w.t.Fatal(err)
			}
			m.Nonce = made
			return m.String()
		}
		w.want(w.present(w.sign(who, nonce(strings.Repeat("a", 64)))), 401, api.ChallengeInvalid)
		w.want(w.present(w.sign(who, nonce(strings.Repeat("a", 22)))), 401, api.ChallengeInvalid)
		w.want(w.present(w.sign(who, nonce("12341234"))), 401, api.CredentialInvalid)
		w.want(w.present(w.sign(who, others.text(chain, who))), 401, api.ChallengeInvalid)
		late := w.sign(who, w.text(chain, who))
		w.clock.Advance(5 * time.Minute)
		w.want(w.present(late), 401, api.ChallengeInvalid)
	})
}

// Each text is genuinely signed by its account, and none is the server's.
func TestTextsThatAWalletMustNotHaveSigned(t *testing.T) {
	replace := func(old, to string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("%q is not in the text", old)
			}
			return strings.Replace(s, old, to, 1)
		}
	}
	message := func(change func(*wallet.Message)) func(string) string {
		return func(s string) string {
			m, err := wallet.ParseMessage(s)
			if err != nil {
				t.Fatal(err)
			}
			change(&m)
			return m.String()
		}
	}
	foreign := accounts(t)
	type alteration struct {
		alter func(string) string
		code  api.Code
	}
	common := map[string]alteration{
		"another domain":       {replace("sessions.example.org wants", "evil.example.org wants"), api.ChallengeInvalid},
		"a scheme":             {replace("sessions.example.org wants", "https://sessions.example.org wants"), api.ChallengeInvalid},
		"userinfo":             {replace("sessions.example.org wants", "sessions.example.org@evil.example.org wants"), api.ChallengeInvalid},
		"another URI":          {replace("URI: https://sessions", "URI: https://evil"), api.ChallengeInvalid},
		"another type":         {replace("urn:mentalverse:session:standard", "urn:mentalverse:session:professional"), api.ChallengeInvalid},
		"another version":      {replace("Version: 1", "Version: 2"), api.CredentialInvalid},
		"not before":           {message(func(m *wallet.Message) { m.NotBefore = m.IssuedAt }), api.ChallengeInvalid},
		"no end":               {message(func(m *wallet.Message) { m.ExpirationTime = "" }), api.ChallengeInvalid},
		"a later end":          {replace("10:05:00", "10:59:00"), api.ChallengeInvalid},
		"no statement":         {message(func(m *wallet.Message) { m.Statement = "" }), api.ChallengeInvalid},
		"no resources":         {message(func(m *wallet.Message) { m.Resources = nil }), api.ChallengeInvalid},
		"empty resources":      {message(func(m *wallet.Message) { m.Resources = []string{} }), api.ChallengeInvalid},
		"a further resource":   {func(s string) string { return s + "\n- urn:mentalverse:session:professional" }, api.ChallengeInvalid},
		"nonce in a statement": {message(func(m *wallet.Message) { m.Statement += "\n\nNonce: " + m.Nonce }), api.CredentialInvalid},
		"nonce in a resource":  {message(func(m *wallet.Message) { m.Resources[0] += m.Nonce; m.Nonce = strings.Repeat("a", 64) }), api.ChallengeInvalid},
		"nonce only elsewhere": {func(s string) string {
			i := strings.Index(s, "Nonce: ")
			return s[:i] + s[i+len("Nonce: ")+65:] + "\n- " + s[i:i+len("Nonce: ")+64]
		}, api.CredentialInvalid},
		"line break in a field": {replace("Sign in to", "Sign in\nto"), api.CredentialInvalid},
		"carriage returns":      {func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }, api.CredentialInvalid},
		"line break at the end": {func(s string) string { return s + "\n" }, api.CredentialInvalid},
		"reordered fields":      {message(func(m *wallet.Message) { m.Version = "1\nNonce: " + m.Nonce; m.Nonce = "" }), api.CredentialInvalid},
		"an unknown field":      {replace("Version: 1", "Version: 1\nAudience: x"), api.CredentialInvalid},
		"oversized":             {message(func(m *wallet.Message) { m.Statement = strings.Repeat("x", 4096) }), api.CredentialInvalid},
	}
	own := map[string]map[string]alteration{
		"ethereum": {
			"another chain":      {replace("Chain ID: 1", "Chain ID: 10"), api.ChallengeInvalid},
			"lower-case address": {message(func(m *wallet.Message) { m.Address = strings.ToLower(m.Address) }), api.ChallengeInvalid},
			"upper-case address": {message(func(m *wallet.Message) { m.Address = "0x" + strings.ToUpper(m.Address[2:]) }), api.ChallengeInvalid},
			"Solana's noun":      {replace("your Ethereum account", "your Solana account"), api.CredentialInvalid},
		},
		"solana": {
			"another chain":           {replace("Chain ID: mainnet", "Chain ID: devnet"), api.ChallengeInvalid},
			"address with a 1 before": {message(func(m *wallet.Message) { m.Address = "1" + m.Address }), api.ChallengeInvalid},
			"Ethereum's noun":         {replace("your Solana account", "your Ethereum account"), api.CredentialInvalid},
		},
	}
	onEach(t, func(w *world, chain string, who account) {
		cases := maps.Clone(common)
		maps.Copy(cases, own[chain])
		cases["another's account"] = alteration{message(func(m *wallet.Message) { m.Address = foreign[chain].Address() }), api.ChallengeInvalid}
		for name, c := range cases {
			w.t.(*testing.T).Run(name, func(t *testing.T) {
				outer := w.t
				defer func() { w.t = outer }()
				w.t = t
				w.want(w.present(w.sign(who, c.alter(w.text(chain, who)))), 401, c.code)
			})
		}
		stranger := w.sign(foreign[chain], w.text(chain, who)) // a right text, by another key
		w.want(w.present(stranger), 401, api.CredentialInvalid)
	})
}

// What may not be asked for: no text is made for it.
func TestAddressesThatAreNotCanonical(t *testing.T) {
	w := newWorld(t)
	people := accounts(t)
	eth, sol := people["ethereum"].Address(), people["solana"].Address()
	for name, c := range map[string]struct{ chain, address string }{
		"Ethereum in lower case":    {"ethereum", strings.ToLower(eth)},
		"Ethereum in upper case":    {"ethereum", "0x" + strings.ToUpper(eth[2:])},
		"Ethereum's zero address":   {"ethereum", "0x0000000000000000000000000000000000000000"},
		"Ethereum name":             {"ethereum", "vitalik.eth"},
		"Solana's address there":    {"ethereum", sol},
		"Ethereum's address there":  {"solana", eth},
		"Solana with a leading 1":   {"solana", "1" + sol},
		"Solana cut":                {"solana", sol[:len(sol)-2]},
		"Solana's system program":   {"solana", "11111111111111111111111111111111"},
		"Solana's identity point":   {"solana", "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM"},
		"Solana with a line break":  {"solana", sol + "\n"},
		"a principal as Ethereum's": {"ethereum", w.person.Principal()},
		"no address":                {"solana", ""},
		"a chain in capitals":       {"Ethereum", eth},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.want(w.call("POST", "/api/auth/challenge", "", api.ChallengeRequest{Chain: c.chain, Address: c.address}), 400, api.InvalidRequest)
		})
	}
	w.t = t
}

func TestCredentialsThatAWalletDidNotMake(t *testing.T) {
	people := accounts(t)
	types := map[string]string{"ethereum": "eip191", "solana": "solana:ed25519"}
	onEach(t, func(w *world, chain string, who account) {
		for name, change := range map[string]func(*wallet.Credential){
			"another chain's type": func(c *wallet.Credential) {
				c.Type = types[map[string]string{"ethereum": "solana", "solana": "ethereum"}[chain]]
			},
			"the Internet Computer's type": func(c *wallet.Credential) { c.Type = "icp:icrc32" },
			"an unknown type":              func(c *wallet.Credential) { c.Type = "eip1271" },
			"delegations":                  func(c *wallet.Credential) { c.Delegations = []wallet.SignedDelegation{{}} },
			"another public key":           func(c *wallet.Credential) { c.PublicKey = bytes.Repeat([]byte{4}, 32) },
			"a signature of zeros":         func(c *wallet.Credential) { c.Signature = make(wallet.Blob, len(c.Signature)) },
			"a universal signature":        func(c *wallet.Credential) { c.Signature = append(wallet.Blob{1}, make(wallet.Blob, 63)...) },
			"a changed signature":          func(c *wallet.Credential) { c.Signature[7] ^= 1 },
		} {
			credential := w.sign(who, w.text(chain, who))
			if a := w.present(w.altered(credential, change)); a.Status != 401 || a.code() != api.CredentialInvalid {
				w.t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
			if a := w.present(credential); a.Status != 201 {
				w.t.Errorf("%s: the refusal used up the challenge: %d %s", name, a.Status, a.Body)
			}
		}
	})
	// A credential is bounded before it is read.
	w := newWorld(t)
	who := people["solana"]
	deep := `{"v":1,"type":"solana:ed25519","message":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`
	w.want(w.present(base64.RawURLEncoding.EncodeToString([]byte(deep))), 401, api.CredentialInvalid)
	long := w.altered(w.sign(who, w.text("solana", who)), func(c *wallet.Credential) { c.Signature = make(wallet.Blob, 6000) })
	w.want(w.present(long), 401, api.CredentialInvalid)
}

// A person with a contract wallet is told why it cannot sign in.
func TestAContractWalletIsToldWhy(t *testing.T) {
	w := newWorld(t)
	who := accounts(t)["ethereum"]
	erc6492 := bytes.Repeat([]byte{0x64, 0x92}, 16)
	credential := w.sign(who, w.text("ethereum", who))
	for name, change := range map[string]func(*wallet.Credential){
		"two owners' signatures": func(c *wallet.Credential) { c.Signature = append(c.Signature, c.Signature...) },
		"not deployed yet":       func(c *wallet.Credential) { c.Signature = append(c.Signature, erc6492...) },
	} {
		a := w.present(w.altered(credential, change))
		w.want(a, 401, api.CredentialInvalid)
		var e api.Envelope[json.RawMessage]
		if err := json.Unmarshal(a.Body, &e); err != nil || e.Error == nil || !strings.Contains(e.Error.Message, "Contract wallets") {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	owner := accounts(t)["ethereum"]
	a := w.present(w.sign(owner, w.text("ethereum", who))) // 65 bytes, of an owner's key
	w.want(a, 401, api.CredentialInvalid)
	if !strings.Contains(string(a.Body), "Contract wallets") {
		t.Errorf("an owner's signature: %s", a.Body)
	}
}

// High S, over HTTP: a signature is nobody's to respell.
func TestAHighSIsRefused(t *testing.T) {
	w := newWorld(t)
	who := accounts(t)["ethereum"]
	credential := w.sign(who, w.text("ethereum", who))
	w.want(w.present(w.altered(credential, func(c *wallet.Credential) {
		negate(c.Signature[32:64])
		c.Signature[64] ^= 27 ^ 28
	})), 401, api.CredentialInvalid)
	w.want(w.present(credential), 201, "")
}

// The client libraries of each chain sign in, and write the text we write.
func TestTheWalletsOwnLibraries(t *testing.T) {
	w := newWorld(t)
	wallets.Run(t, w.url)
}

// The browser's client signs in with the same libraries, and with what Internet
// Identity's canister signs.
func TestTheClientsWallets(t *testing.T) {
	ic := sessiontest.NewInternetComputer(sessiontest.Sharded)
	w := newWorld(t, func(c *server.Config) { c.ICPRootKeys = []string{hex.EncodeToString(ic.Root.PublicKey())} })
	wallets.RunClient(t, w.url, origin, wallets.Identities(t, ic, w.clock.Now))
}

// What the manual tells front ends to write works as it stands there.
func TestTheManualsWallets(t *testing.T) {
	w := newWorld(t)
	wallets.RunManual(t, w.url)
}

// negate replaces s by the order minus s, big-endian.
func negate(s []byte) {
	var n secp256k1.ModNScalar
	n.SetByteSlice(s)
	n.Negate()
	n.PutBytesUnchecked(s)
}
