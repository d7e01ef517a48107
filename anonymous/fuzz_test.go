package anonymous

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "00", "7", "-1", "+1", " 1", fr.Modulus().String(), new(big.Int).Lsh(big.NewInt(1), 256).String(), format256([32]byte{0xff})} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, ok := new(big.Int).SetString(s, 10)
		ok = ok && want.Sign() >= 0 && want.BitLen() <= 256 && want.String() == s
		b, err := parse256(s)
		if (err == nil) != ok || ok && (new(big.Int).SetBytes(b[:]).Cmp(want) != 0 || format256(b) != s) {
			t.Errorf("%q: %x, %v", s, b, err)
		}
		e, err := ParseScalar(s)
		if (err == nil) != (ok && want.Cmp(fr.Modulus()) < 0) || err == nil && FormatScalar(e) != s {
			t.Errorf("%q as a scalar: %v", s, err)
		}
	})
}

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
		s.Message, e1 = parse256(p.Message)
		s.Scope, e2 = parse256(p.Scope)
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
