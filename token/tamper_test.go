package token_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

func TestEveryBitFlipIsRefused(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		raw := []byte(sign(t, k, claims(t)))
		for i := range raw {
			for bit := range 8 {
				raw[i] ^= 1 << bit
				refused(t, set, string(alg)+" with a flipped bit", string(raw))
				raw[i] ^= 1 << bit
			}
		}
		if _, err := set.Verify(string(raw), noon); err != nil {
			t.Errorf("%s untouched: %v", alg, err)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		raw := sign(t, k, claims(t))
		for i := range raw {
			refused(t, set, string(alg)+" cut at the end", raw[:i])
			refused(t, set, string(alg)+" cut at the front", raw[i+1:])
		}
	}
}

// A signature of one token does not fit another.
func TestSplicedTokens(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		other := claims(t)
		other.Subject = "user_02"
		a, b := strings.Split(sign(t, k, claims(t)), "."), strings.Split(sign(t, k, other), ".")
		refused(t, set, string(alg)+" spliced", a[0]+"."+a[1]+"."+b[2])
		refused(t, set, string(alg)+" spliced", a[0]+"."+b[1]+"."+a[2])
	}
}

// Both (r, s) and (r, n-s) verify as ECDSA; we write and take the lower alone.
func TestES256HasOneSignature(t *testing.T) {
	k := ours(t, token.ES256)
	set := token.NewKeySet(issuer, k)
	n := elliptic.P256().Params().N
	for range 32 {
		raw := sign(t, k, claims(t))
		if _, err := set.Verify(raw, noon); err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndexByte(raw, '.')
		signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
		if err != nil || len(signature) != 64 {
			t.Fatal(err)
		}
		s := new(big.Int).SetBytes(signature[32:])
		if new(big.Int).Lsh(s, 1).Cmp(n) > 0 {
			t.Error("signed with the higher s")
		}
		s.Sub(n, s).FillBytes(signature[32:])
		refused(t, set, "the flipped signature", raw[:dot+1]+b64(string(signature)))
	}
}

// The "psychic" signatures (CVE-2022-21449) and their neighbours.
func TestES256DegenerateSignatures(t *testing.T) {
	k := ours(t, token.ES256)
	set := token.NewKeySet(issuer, k)
	raw := sign(t, k, claims(t))
	input := raw[:strings.LastIndexByte(raw, '.')+1]
	n := elliptic.P256().Params().N
	p := elliptic.P256().Params().P
	one := big.NewInt(1)
	values := []*big.Int{new(big.Int), one, new(big.Int).Sub(n, one), n, new(big.Int).Add(n, one), p, new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)}
	for _, r := range values {
		for _, s := range values {
			signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
			refused(t, set, "r "+r.String()+" s "+s.String(), input+b64(string(signature)))
		}
	}
}

// S + L is the other spelling of an Ed25519 signature (RFC 8032 section 8.4).
func TestEd25519HasOneSignature(t *testing.T) {
	k := ours(t, token.EdDSA)
	set := token.NewKeySet(issuer, k)
	raw := sign(t, k, claims(t))
	dot := strings.LastIndexByte(raw, '.')
	signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := make([]byte, 32)
	for i := range s {
		s[31-i] = signature[32+i]
	}
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	for i := range sum {
		signature[32+i] = sum[31-i]
	}
	refused(t, set, "S + L", raw[:dot+1]+b64(string(signature)))
	for i := range signature {
		signature[i] = 0
	}
	refused(t, set, "zero", raw[:dot+1]+b64(string(signature)))
}
