package wallet

import (
	"reflect"
	"strings"
	"testing"
)

var sample = Message{
	Domain: "app.example.com", Noun: "Internet Computer", Address: "aaaaa-aa", Statement: "Sign in.", URI: "https://app.example.com",
	Version: "1", ChainID: "icp:1", Nonce: "abcdefgh", IssuedAt: "2026-11-23T10:00:00.000Z", ExpirationTime: "2026-11-23T10:05:00.000Z",
	RequestID: "c7f1", Resources: []string{"urn:example:a", "urn:example:b"},
}

func TestMessageRoundTrip(t *testing.T) {
	got, err := ParseMessage(sample.String())
	if err != nil || !reflect.DeepEqual(got, sample) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMessagesOfAnotherFormAreRefused(t *testing.T) {
	text := sample.String()
	swap := func(a, b string) string { return strings.Replace(text, a, b, 1) }
	for name, s := range map[string]string{
		"empty":                 "",
		"carriage returns":      strings.ReplaceAll(text, "\n", "\r\n"),
		"one carriage return":   swap("Sign in.", "Sign in.\r"),
		"trailing line break":   text + "\n",
		"no resources":          text[:strings.Index(text, "\n- ")],
		"too many resources":    text + strings.Repeat("\n- a", 8),
		"reordered":             swap("Version: 1\nChain ID: icp:1", "Chain ID: icp:1\nVersion: 1"),
		"repeated":              swap("Version: 1", "Version: 1\nVersion: 1"),
		"left out":              swap("Version: 1\n", ""),
		"unknown":               swap("Version: 1", "Version: 1\nNot Before: x"),
		"empty field":           swap("abcdefgh", ""),
		"nonce in a statement":  swap("Sign in.", "Sign in.\nNonce: evil"),
		"two-line statement":    swap("Sign in.", "Sign in.\nReally."),
		"no statement":          swap("Sign in.\n\n", ""),
		"another first line":    swap("wants you to", "wants  you to"),
		"not UTF-8":             swap("Sign in.", "\xff"),
		"too long":              swap("Sign in.", strings.Repeat("x", 5000)),
		"field in another case": swap("Nonce: ", "nonce: "),
	} {
		if _, err := ParseMessage(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

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
