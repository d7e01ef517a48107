package icp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mentalverse/session/wallet"
)

// vectors reads a file of real-world values that lies beside this repository.
func vectors(t testing.TB, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("../../../shared/vectors/" + name)
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("NOT RUN: ../shared/vectors/%s is missing", name)
		}
		t.Skipf("NOT RUN: the vectors are not beside this repository (../shared/vectors/%s)", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func decodeHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheMainnetsName(t *testing.T) {
	if id := Chain().ChainID; id != "icp:737ba355e855bd4b61279056603e0550" {
		t.Error(id)
	}
}

// Two delegations that Internet Identity made on the mainnet, of 2023 and 2024,
// verify as they did then: nobody asks a certificate for its age. The session key
// of 2024's is of no known scheme, so the chain as a whole is not looked at.
func TestInternetIdentityOnTheMainnet(t *testing.T) {
	var of2024 struct {
		Delegations []struct {
			Delegation struct{ Expiration, Pubkey string }
			Signature  string
		}
		PublicKey string
	}
	vectors(t, "ii_mainnet_2024.json", &of2024)
	d := of2024.Delegations[0]
	nanos, err := strconv.ParseUint(d.Delegation.Expiration, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	root, signature := decodeHex(t, of2024.PublicKey), decodeHex(t, d.Signature)
	message := delegationMessage(&wallet.Delegation{PublicKey: decodeHex(t, d.Delegation.Pubkey)}, nanos)
	n := newNetwork(Mainnet())
	key, err := n.publicKey(root)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the subnet is known
		if err := key.verify(t.Context(), message, signature); err != nil {
			t.Errorf("2024: %v", err)
		}
	}
	if err := key.verify(t.Context(), append(message, 0), signature); !errors.Is(err, ErrNotSigned) {
		t.Errorf("another message: %v", err)
	}

	var of2023 []struct {
		Principal, PublicKey string
		SignerDelegation     []struct {
			Delegation struct{ Pubkey, Expiration string }
			Signature  string
		} `json:"signer_delegation"`
	}
	vectors(t, "icrc32.json", &of2023)
	signed := of2023[1]
	b64 := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	link := signed.SignerDelegation[0]
	chain := []wallet.SignedDelegation{{
		Delegation: wallet.Delegation{PublicKey: b64(link.Delegation.Pubkey), Expiration: link.Delegation.Expiration},
		Signature:  b64(link.Signature),
	}}
	der := b64(signed.PublicKey)
	if principalOf(der) != signed.Principal {
		t.Errorf("principal %s, want %s", principalOf(der), signed.Principal)
	}
	ends, _, _ := expiration(link.Delegation.Expiration)
	links, _, notAfter, err := n.walk(der, chain, ends.Add(-time.Hour))
	if err != nil || !notAfter.Equal(ends) || len(links) != 1 {
		t.Fatalf("2023: %v", err)
	}
	if err := links[0].key.verify(t.Context(), links[0].message, links[0].signature); err != nil {
		t.Errorf("2023: %v", err)
	}
	if _, _, _, err := n.walk(der, chain, ends); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}

// Certificates of the mainnet, about subnets and in both layouts of ranges, hold
// under its root key. Two are named local, and are the mainnet's all the same.
func TestRealCertificates(t *testing.T) {
	var golden map[string]string
	vectors(t, "golden_certs.json", &golden)
	var leaves, shards int
	for name, text := range golden {
		c, err := parseCertificate(decodeHex(t, text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := newNetwork(Mainnet())
		if err := holds(n, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.tree.find([]byte("subnet")).children(func(id []byte, _ *node) {
			ranges, err := rangesOf(c.tree, id)
			if err != nil || len(ranges) == 0 {
				t.Errorf("%s: subnet %x: %d ranges, %v", name, id, len(ranges), err)
			}
			for _, r := range ranges {
				s := subnet{ranges: ranges}
				if !s.serves(r[0]) || !s.serves(r[1]) || s.serves(append(bytes.Clone(r[1]), 0)) && len(ranges) == 1 {
					t.Errorf("%s: range %x", name, r)
				}
			}
		})
		if c.tree.find([]byte("canister_ranges")) != nil {
			shards++
		} else {
			leaves++
		}
		c.signature = bytes.Clone(c.signature)
		c.signature[47] ^= 1
		if err := holds(n, c); !errors.Is(err, ErrSignature) {
			t.Errorf("%s with another signature: %v", name, err)
		}
	}
	if leaves == 0 || shards == 0 || leaves+shards < 6 {
		t.Errorf("%d with leaves and %d with shards", leaves, shards)
	}
}

// holds checks a certificate that is about no canister.
func holds(n *network, c *certificate) error {
	if c.delegation == nil {
		return n.signedByRoot(c)
	}
	by, err := n.subnets.read(c.delegation)
	if err != nil {
		return err
	}
	key, err := n.subnets.key(by, func() error { return n.signedByRoot(by.vouched) })
	if err != nil {
		return err
	}
	return key.verify(c.signed(), c.signature)
}
