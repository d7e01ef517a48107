package wallets

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

// Identities is what stands behind the window of Internet Identity: for a person
// and a session key it answers as ICRC-34 has it, with a delegation that the
// canister of a fake Internet Computer signed. It returns its address.
func Identities(t *testing.T, ic *sessiontest.InternetComputer, now func() time.Time) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask struct {
			Person    string
			PublicKey []byte
		}
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := delegation(ic, ask.Person, ask.PublicKey, now().Add(time.Hour))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

type signerDelegation struct {
	Delegation struct {
		PublicKey  []byte `json:"pubkey"`
		Expiration string `json:"expiration"`
	} `json:"delegation"`
	Signature []byte `json:"signature"`
}

type icrc34 struct {
	PublicKey   []byte             `json:"publicKey"`
	Delegations []signerDelegation `json:"signerDelegation"`
}

func delegation(ic *sessiontest.InternetComputer, person string, key []byte, until time.Time) (icrc34, error) {
	unknown := func([]byte) ([]byte, error) { return []byte{0}, nil } // the page has the key, we do not
	id, err := ic.Person(person).Delegate(icp.SignWith(key, unknown), until)
	if err != nil {
		return icrc34{}, err
	}
	text, err := id.Credential("")
	if err != nil {
		return icrc34{}, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return icrc34{}, err
	}
	var c wallet.Credential
	if err := json.Unmarshal(raw, &c); err != nil {
		return icrc34{}, err
	}
	out := icrc34{PublicKey: c.PublicKey}
	for _, d := range c.Delegations {
		s := signerDelegation{Signature: d.Signature}
		s.Delegation.PublicKey, s.Delegation.Expiration = d.Delegation.PublicKey, d.Delegation.Expiration
		out.Delegations = append(out.Delegations, s)
	}
	return out, nil
}
