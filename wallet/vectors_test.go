package wallet_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/ethereum"
	"github.com/mentalverse/session/wallet/solana"
)

// vectors reads a file of the test vectors beside this repository.
func vectors(t *testing.T, name string, to any) {
	t.Helper()
	b, err := os.ReadFile("../../shared/vectors/" + name)
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("NOT RUN: ../shared/vectors/%s is not beside this repository", name)
		}
		t.Skipf("NOT RUN: ../shared/vectors/%s is not beside this repository", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatal(err)
	}
}

var errText = errors.New("the text or its address")

// read is what a verifier does with a text before it looks at a signature.
func read(chain wallet.Chain, text string) (wallet.Message, error) {
	m, err := wallet.ParseMessage(text)
	if err == nil {
		err = chain.Canonical(m.Address)
	}
	if err == nil && m.Noun != chain.Noun {
		err = errors.New("another chain's first line")
	}
	if err != nil {
		return m, errors.Join(errText, err)
	}
	return m, nil
}

// The credentials were made by ethers and tweetnacl. Their nonces and origins
// are foreign, so they exercise parsing and signatures only. Those of Internet
// Computer identities are the business of wallet/icp.
func TestCredentialsOfTheClientLibraries(t *testing.T) {
	var cases []struct {
		Name, Credential, Account, Expect string
		Now                               time.Time
	}
	vectors(t, "js.json", &cases)
	type reasons map[string]error
	chains := map[string]struct {
		wallet.Chain
		reasons
	}{
		"eip191":         {ethereum.Chain(), reasons{"ok": nil, "account": ethereum.ErrAccount, "message": errText}},
		"solana:ed25519": {solana.Chain(), reasons{"ok": nil}},
	}
	// Why "signature" does not hold differs.
	signature := map[string]error{"eip191 high-S": ethereum.ErrSignature, "eip191 short": ethereum.ErrContract}
	checked := map[string]int{}
	for _, v := range cases {
		c, err := wallet.ParseCredential(v.Credential)
		if err != nil {
			t.Fatal(v.Name, err)
		}
		chain, ours := chains[c.Type]
		if !ours {
			continue
		}
		checked[c.Type]++
		t.Run(v.Name, func(t *testing.T) {
			want, known := chain.reasons[v.Expect]
			if v.Expect == "signature" {
				want, known = signature[v.Name]
			}
			if !known {
				t.Fatalf("unknown expectation %q", v.Expect)
			}
			m, err := read(chain.Chain, c.Message)
			if err == nil {
				_, err = chain.Verify(t.Context(), c, m.Address, v.Now)
			}
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if err == nil && m.Address != v.Account {
				t.Errorf("account %s, want %s", m.Address, v.Account)
			}
		})
	}
	if checked["eip191"] != 6 || checked["solana:ed25519"] != 1 {
		t.Errorf("checked %v", checked)
	}
}
