package wallet

import (
	"reflect"
	"strings"
	"testing"
)

func TestCredentialsOfAnotherFormAreRefused(t *testing.T) {
	good, err := Credential{Version: 1, Type: "t", Message: "m", Signature: Blob{1, 2}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCredential(good); err != nil {
		t.Fatal(err)
	}
	raw := func(json string) string { s, _ := Blob(json).MarshalText(); return string(s) }
	for name, s := range map[string]string{
		"empty":            "",
		"padded":           good + "=",
		"line break":       good[:8] + "\n" + good[8:],
		"standard base64":  "+/+/",
		"not JSON":         raw("hello"),
		"other version":    raw(`{"v":2,"type":"t","message":"m","signature":"AQI"}`),
		"unknown key":      raw(`{"v":1,"type":"t","message":"m","signature":"AQI","x":1}`),
		"repeated key":     raw(`{"v":1,"v":1,"type":"t","message":"m","signature":"AQI"}`),
		"key in caps":      raw(`{"V":1,"type":"t","message":"m","signature":"AQI"}`),
		"trailing data":    raw(`{"v":1,"type":"t","message":"m","signature":"AQI"} 1`),
		"blob with slack":  raw(`{"v":1,"type":"t","message":"m","signature":"AQJ"}`),
		"blob with breaks": raw(`{"v":1,"type":"t","message":"m","signature":"AQ\nI"}`),
		"no signature":     raw(`{"v":1,"type":"t","message":"m","signature":""}`),
		"too long":         strings.Repeat("A", MaxCredential+1),
	} {
		if _, err := ParseCredential(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(sample.String())
	f.Add(strings.Replace(sample.String(), "Sign in.", "Nonce: x", 1))
	f.Add(full.String())
	f.Add(bare.String())
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMessage(s)
		if err == nil && m.String() != s {
			t.Errorf("%q is spelled %q", s, m.String())
		}
	})
}

func FuzzParseCredential(f *testing.F) {
	good, _ := Credential{Version: 1, Type: "t", Message: "m", Signature: Blob{1}, Delegations: []SignedDelegation{{Signature: Blob{2}}}}.Encode()
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
		if back, err := ParseCredential(again); err == nil && !reflect.DeepEqual(back, c) {
			t.Errorf("%+v became %+v", c, back)
		}
	})
}
