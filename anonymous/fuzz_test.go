package anonymous

import (
	"encoding/json"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

func FuzzProof(f *testing.F) {
	v, err := NewVerifier(2)
	if err != nil {
		f.Fatal(err)
	}
	made := readMade(f)
	good, err := json.Marshal(made.SignIn)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"merkleTreeDepth":20,"merkleTreeRoot":"1","nullifier":"1","message":"1","scope":"1","points":["1","2","0","0","0","0","1","2"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProof(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseProof(again); err != nil || back != p {
			t.Errorf("%s becomes %s", b, again)
		}
		// Whatever it asks to be a proof of, only the one we have is one.
		var s Statement
		var e1, e2 error
		s.Message, e1 = semaphore.ParseNumber(p.Message)
		s.Scope, e2 = semaphore.ParseNumber(p.Scope)
		s.Root = func(fr.Element) bool { return true }
		if e1 == nil && e2 == nil && p != made.SignIn {
			if _, err := v.Verify(t.Context(), p, s); err == nil {
				t.Errorf("accepted: %s", b)
			}
		}
	})
}

func FuzzCredential(f *testing.F) {
	made := readMade(f)
	good, err := Credential{1, CredentialType, made.Nonce, made.SignIn}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("e30")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCredential(s)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseCredential(again); err == nil && back != c {
			t.Errorf("%+v became %+v", c, back)
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	good, err := json.Marshal(history(f, 1, 2)[1])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, back SignedSnapshot
		if json.Unmarshal(b, &s) != nil {
			return
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &back); err != nil || back != s || back.Hash(testService) != s.Hash(testService) {
			t.Errorf("%s becomes %s", b, again)
		}
	})
}

func FuzzMembers(f *testing.F) {
	f.Add("1", "0")
	f.Add("", "01")
	f.Fuzz(func(t *testing.T, a, b string) {
		m, err := ParseMembers([]string{a, b})
		if err == nil && (FormatScalar(m[0]) != a || FormatScalar(m[1]) != b) {
			t.Errorf("%q and %q are read as %v", a, b, m)
		}
		if c, err := ParseCommitment(a); err == nil && (c.IsZero() || FormatScalar(c) != a) {
			t.Errorf("commitment %q is read as %s", a, c.String())
		}
	})
}
