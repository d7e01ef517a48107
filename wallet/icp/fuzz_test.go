package icp

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mentalverse/session/wallet"
)

func FuzzCertificate(f *testing.F) {
	f.Add([]byte("\xd9\xd9\xf7\xa2\x64tree\x81\x00\x69signature\x40"))
	f.Add([]byte("\xa3\x64tree\x81\x00\x69signature\x40\x6adelegation\xa2\x69subnet_id\x40\x6bcertificate\x56\xa2\x64tree\x81\x00\x69signature\x40"))
	n := newNetwork(Mainnet())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCertificate(b)
		if err != nil {
			if !errors.Is(err, ErrCertificate) {
				t.Errorf("%v", err)
			}
			return
		}
		if d := c.tree.digest(); len(d) != 32 {
			t.Errorf("digest %x", d)
		}
		if n.check(t.Context(), c, []byte{0, 0, 0, 0, 0, 0, 0, 7, 1, 1}) == nil {
			t.Errorf("%x holds", b)
		}
	})
}

func FuzzHashTree(f *testing.F) {
	f.Add([]byte("\x83\x01\x83\x02\x41a\x82\x03\x40\x82\x04\x40"), []byte("a"))
	f.Add(append([]byte("\x83\x01\x82\x04\x58\x20"), append(make([]byte, 32), []byte("\x83\x02\x41b\x82\x03\x41x")...)...), []byte("b"))
	f.Fuzz(func(t *testing.T, b, label []byte) {
		v, err := readCBOR(b)
		if err != nil {
			return
		}
		tree, err := parseTree(v)
		if err != nil {
			return
		}
		if value, ok := tree.leaf(label); ok && !bytes.Contains(b, value) {
			t.Errorf("a leaf that is not there: %x", value)
		}
		// What is pruned leaves the digest as it is.
		pruned := node{kind: nodePruned, bytes: tree.digest()}
		if !bytes.Equal(pruned.digest(), tree.digest()) {
			t.Error("pruning changes the digest")
		}
		if _, err := rangesOf(tree, label); err != nil && !errors.Is(err, ErrCertificate) {
			t.Errorf("%v", err)
		}
	})
}

func FuzzSignature(f *testing.F) {
	signatures := [][]byte{[]byte("\xa2\x64tree\x81\x00\x6bcertificate\x40"), []byte("\xa3\x69signature\x40\x72authenticator_data\x40\x70client_data_json\x62{}")}
	cose := append(bytes.Clone(coseES256), make([]byte, 67)...)
	copy(cose[42:], coseY)
	keys := [][]byte{unhex("303c300c060a2b0601040183b8430102032c000a00000000006000270101f3ffab2278616508ad5ebfa0cb79a21e08dbb7132f6875b95f81e72067f31302")}
	for _, s := range signatures {
		f.Add(keys[0], []byte("m"), s)
		f.Add(append(unhex("305e300c060a2b0601040183b8430101034e00"), cose...), []byte("m"), s)
	}
	n := newNetwork(Mainnet())
	f.Fuzz(func(t *testing.T, der, message, signature []byte) {
		if k, err := n.publicKey(der); err == nil && k.verify(t.Context(), message, signature) == nil {
			t.Errorf("%x verifies %x over %x", der, signature, message)
		}
	})
}

func FuzzAssertion(f *testing.F) {
	f.Add([]byte("m"), []byte("\xa3\x69signature\x41\x00\x72authenticator_data\x58\x25\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x70client_data_json\x78\x2a{\"type\":\"webauthn.get\",\"challenge\":\"bQ\"  }"))
	f.Fuzz(func(t *testing.T, message, assertion []byte) {
		digest, _, err := readAssertion(message, assertion)
		if err == nil && len(digest) != 32 || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%x, %v", digest, err)
		}
	})
}

// A delegation's hash is injective: what differs is signed differently.
func FuzzDelegation(f *testing.F) {
	f.Add([]byte("key"), "1", "all", []byte("kez"), "1", "all")
	f.Fuzz(func(t *testing.T, key []byte, ends, may string, key2 []byte, ends2, may2 string) {
		read := func(key []byte, ends, may string) []byte {
			_, nanos, err := expiration(ends)
			if err != nil {
				return nil
			}
			d := wallet.Delegation{PublicKey: key, Expiration: ends}
			if may != "" {
				d.Permissions = &may
			}
			return delegationMessage(&d, nanos)
		}
		a, b := read(key, ends, may), read(key2, ends2, may2)
		same := bytes.Equal(key, key2) && ends == ends2 && may == may2
		if a != nil && b != nil && bytes.Equal(a, b) != same {
			t.Errorf("%x %s %s and %x %s %s", key, ends, may, key2, ends2, may2)
		}
	})
}
