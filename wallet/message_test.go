package wallet

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// sample is of the form this service writes, full has every field, bare none
// that is optional.
var (
	sample = Message{
		Domain: "app.example.com", Noun: "Internet Computer", Address: "aaaaa-aa", Statement: "Sign in.", URI: "https://app.example.com",
		Version: "1", ChainID: "icp:1", Nonce: "abcdefghijklmnopqrst22", IssuedAt: "2026-11-23T10:00:00.000Z", ExpirationTime: "2026-11-23T10:05:00.000Z",
		RequestID: "c7f1", Resources: []string{"urn:example:a", "urn:example:b"},
	}
	full = Message{
		Scheme: "https", Domain: "me:secret@[::1]:8443", Noun: "Ethereum", Address: "0x00", Statement: "It's [so] (free)?", URI: "did:example:123/a?b=c%20d#e",
		Version: "1", ChainID: "1", Nonce: "ABCDEFGHIJKLMNOPQRST22", IssuedAt: "2024-02-29T23:59:59+14:00", ExpirationTime: "2026-11-23T10:05:00.123456789Z",
		NotBefore: "2026-11-23T10:00:00-02:00", RequestID: "a:b@c%2f!", Resources: []string{},
	}
	bare = Message{
		Domain: "localhost", Noun: "Solana", Address: "1", URI: "a:", Version: "1", ChainID: "mainnet",
		Nonce: "0000000000000000000000", IssuedAt: "2026-11-23T10:00:00Z",
	}
)

func TestMessageRoundTrip(t *testing.T) {
	for _, m := range []Message{sample, full, bare} {
		got, err := ParseMessage(m.String())
		if err != nil || !reflect.DeepEqual(got, m) || got.String() != m.String() {
			t.Errorf("%+v, %v", got, err)
		}
	}
	text := bare.String()
	if want := "localhost wants you to sign in with your Solana account:\n1\n\n\nURI: a:\nVersion: 1\nChain ID: mainnet\n" +
		"Nonce: 0000000000000000000000\nIssued At: 2026-11-23T10:00:00Z"; text != want {
		t.Errorf("the least text is\n%s", text)
	}
}

func TestMessagesOfAnotherFormAreRefused(t *testing.T) {
	text, whole := sample.String(), full.String()
	swap := func(a, b string) string {
		if !strings.Contains(text, a) {
			t.Fatalf("%q is not in the text", a)
		}
		return strings.Replace(text, a, b, 1)
	}
	cut := func(s, line string) string {
		i := strings.Index(s, "\n"+line)
		j := i + 1 + strings.IndexByte(s[i+1:]+"\n", '\n')
		return s[:i] + s[j:]
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":                    {"", errFirstLine},
		"too long":                 {swap("Sign in.", strings.Repeat("x", 5000)), errSize},
		"another first line":       {swap("wants you to", "wants  you to"), errFirstLine},
		"no domain":                {swap("app.example.com wants", " wants"), errFirstLine},
		"no noun":                  {swap("Internet Computer account", " account"), errFirstLine},
		"a noun with a mark":       {swap("Internet Computer account", "Internet-Computer account"), errFirstLine},
		"a noun of another script": {swap("Internet Computer account", "Internet С account"), errFirstLine},
		"no scheme before ://":     {swap("app.example.com wants", "://app.example.com wants"), errFirstLine},
		"a scheme with a mark":     {swap("app.example.com wants", "ht_tp://app.example.com wants"), errFirstLine},
		"two schemes":              {swap("app.example.com wants", "a://b://app.example.com wants"), errFirstLine},
		"a path in the domain":     {swap("app.example.com wants", "app.example.com/x wants"), errFirstLine},
		"no address":               {swap("aaaaa-aa", ""), errAddress},
		"address with a space":     {swap("aaaaa-aa", "aaaaa -aa"), errAddress},
		"address of 129":           {swap("aaaaa-aa", strings.Repeat("a", 129)), errAddress},
		"two addresses":            {swap("aaaaa-aa", "aaaaa-aa\naaaaa-aa"), errAddress},
		"no line after address":    {swap("aaaaa-aa\n\n", "aaaaa-aa\n"), errAddress},
		"one carriage return":      {swap("Sign in.", "Sign in.\r"), errStatement},
		"an escape":                {swap("Sign in.", "\x1b[2J"), errStatement},
		"a null":                   {swap("Sign in.", "a\x00b"), errStatement},
		"not UTF-8":                {swap("Sign in.", "\xff"), errStatement},
		"a bidirectional mark":     {swap("Sign in.", "a\u202eb"), errStatement},
		"a quotation mark":         {swap("Sign in.", `"Sign in."`), errStatement},
		"a line separator":         {swap("Sign in.", "a\u2028b"), errStatement},
		"nonce in a statement":     {swap("Sign in.", "Sign in.\nNonce: evil"), errStatement},
		"two-line statement":       {swap("Sign in.", "Sign in.\nReally."), errStatement},
		"statement left out":       {swap("Sign in.\n\n", ""), errStatement},
		"statement of nothing":     {swap("Sign in.\n\n", "\n\n"), errFields},
		"carriage returns":         {strings.ReplaceAll(text, "\n", "\r\n"), errFirstLine},
		"trailing line break":      {text + "\n", errResources},
		"trailing break, bare":     {bare.String() + "\n", errFields},
		"trailing break, resource": {whole + "\n", errResources},
		"reordered":                {swap("Version: 1\nChain ID: icp:1", "Chain ID: icp:1\nVersion: 1"), errFields},
		"reordered optional":       {swap("Expiration Time: 2026-11-23T10:05:00.000Z\nRequest ID: c7f1", "Request ID: c7f1\nExpiration Time: 2026-11-23T10:05:00.000Z"), errFields},
		"repeated":                 {swap("Version: 1", "Version: 1\nVersion: 1"), errFields},
		"repeated optional":        {swap("Request ID: c7f1", "Request ID: c7f1\nRequest ID: c7f1"), errFields},
		"unknown":                  {swap("Version: 1", "Version: 1\nNonsense: x"), errFields},
		"unknown at the end":       {cut(whole, "Resources:") + "\nNonsense: x", errFields},
		"blank line within":        {swap("Version: 1", "\nVersion: 1"), errFields},
		"field in another case":    {swap("Nonce: ", "nonce: "), errFields},
		"field without its space":  {swap("Nonce: ", "Nonce:"), errFields},
		"another version":          {swap("Version: 1", "Version: 2"), errFields},
		"short nonce":              {swap(sample.Nonce, sample.Nonce[:21]), errFields},
		"nonce with a mark":        {swap(sample.Nonce, sample.Nonce+"-"), errFields},
		"empty nonce":              {swap(sample.Nonce, ""), errFields},
		"empty request ID":         {swap("Request ID: c7f1", "Request ID: "), errFields},
		"request ID with a slash":  {swap("c7f1", "c7/f1"), errFields},
		"request ID cut in a byte": {swap("c7f1", "c7%f"), errFields},
		"a space at the end":       {swap("Version: 1", "Version: 1 "), errFields},
		"31st of February":         {swap("2026-11-23T10:00", "2026-02-31T10:00"), errFields},
		"29th of February":         {swap("2026-11-23T10:00", "2026-02-29T10:00"), errFields},
		"one-digit hour":           {swap("2026-11-23T10:00", "2026-11-23T1:00"), errFields},
		"comma in a time":          {swap("00.000Z\nExp", "00,000Z\nExp"), errFields},
		"time without zone":        {swap("00.000Z\nExp", "00.000\nExp"), errFields},
		"zone of 24 hours":         {swap("00.000Z\nExp", "00.000+24:00\nExp"), errFields},
		"a date":                   {swap("2026-11-23T10:00:00.000Z", "2026-11-23"), errFields},
		"not before of no time":    {swap("Request ID", "Not Before: x\nRequest ID"), errFields},
		"chain of no name":         {swap("icp:1", ":1"), errFields},
		"chain without reference":  {swap("icp:1", "icp:"), errFields},
		"chain of 33":              {swap("icp:1", "icp:"+strings.Repeat("1", 33)), errFields},
		"chain of two colons":      {swap("icp:1", "icp:1:1"), errFields},
		"chain in capitals":        {swap("icp:1", "ICP:1"), errFields},
		"relative URI":             {swap("URI: https:", "URI: "), errFields},
		"too many resources":       {text + strings.Repeat("\n- a:b", 7), errResources},
		"resource of no URI":       {text + "\n- b", errResources},
		"two resources in a line":  {text + "\n- a:b - c:d", errResources},
		"no list":                  {text + "\na:b", errResources},
		"text after Resources":     {swap("Resources:", "Resources: "), errFields},
	} {
		if _, err := ParseMessage(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for _, line := range []string{"URI", "Version", "Chain ID", "Nonce", "Issued At"} {
		if _, err := ParseMessage(cut(whole, line)); !errors.Is(err, errFields) {
			t.Errorf("without %s: %v", line, err)
		}
	}
	for _, line := range []string{"Expiration Time", "Not Before", "Request ID", "Resources"} {
		shorter := cut(whole, line)
		if m, err := ParseMessage(shorter); err != nil || m.String() != shorter {
			t.Errorf("without %s: %v", line, err)
		}
	}
}

// The cases of RFC 3986 that net/url reads otherwise.
func TestURIs(t *testing.T) {
	for s, want := range map[string]bool{
		"https://a":                        true,
		"https://a/":                       true,
		"https://a//b":                     true,
		"https://a?b?c/d":                  true,
		"https://a#b/c?d":                  true,
		"https://a:":                       true,
		"https://a:8080/b":                 true,
		"https://[::1]":                    true,
		"https://[::ffff:1.2.3.4]:1":       true,
		"https://[v1.fe80::a+en1]":         true,
		"file:///etc/x":                    true,
		"urn:example:a":                    true,
		"mailto:a@b":                       true,
		"a:/b":                             true,
		"a:":                               true,
		"a+b-c.1:":                         true,
		"https://a/%41":                    true,
		"":                                 false,
		":":                                false,
		"a":                                false,
		"1a:b":                             false,
		"//a":                              false,
		"/a":                               false,
		"https://a/ b":                     false,
		"https://a/%4":                     false,
		"https://a/%zz":                    false,
		"https://a#b#c":                    false,
		"https://a/[b]":                    false,
		"https://a/?[":                     false,
		"https://a/\x7f":                   false,
		"https://ä":                        false,
		"https://a:b":                      false,
		"https://a:1:2":                    false,
		"https://@":                        false,
		"https://a@b@c":                    false,
		"https://:1":                       false,
		"https://[::1":                     false,
		"https://[::1]1":                   false,
		"https://[::1%25lo]":               false,
		"https://[1.2.3.4]":                false,
		"https://[1:2:3:4:5:6:7:8:9]":      false,
		"https://[v.a]":                    false,
		"https://[v1.]":                    false,
		"https://[vg.a]":                   false,
		"https://a\\b":                     false,
		"https://" + "a<b>":                false,
		"javascript:alert(1)":              true, // a URI all the same; only a comparison tells whose
		"https://user:pass%20word@a.b:1/c": true,
	} {
		if got := isURI(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
