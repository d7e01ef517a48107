package token_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

// payload is the payload of claims(t), as a forger would copy it.
func payload(t testing.TB) string {
	t.Helper()
	k := ours(t, token.HS256)
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(sign(t, k, claims(t)), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func refused(t *testing.T, set *token.KeySet, what, raw string) {
	t.Helper()
	c, err := set.Verify(raw, noon)
	if !errors.Is(err, token.ErrInvalid) || errors.Is(err, token.ErrExpired) || c.Subject != "" {
		t.Errorf("accepted %s: %v", what, err)
	}
	if err != nil && len(raw) > 20 && strings.Contains(err.Error(), raw[len(raw)-20:]) {
		t.Errorf("%s: the error shows the token", what)
	}
}

// Every algorithm name, right and wrong, under every signature a forger can
// make, and even under the genuine key: only the one genuine header passes.
func TestAlgorithmConfusion(t *testing.T) {
	names := strings.Fields(`none None NONE nOnE noNe noné none\u0000 n\u006fne null HS256 hs256 Hs256 HS384 HS512 RS256 rs256 RS384 RS512
		PS256 PS384 PS512 ES256 es256 ES384 ES512 ES256K EdDSA eddsa EDDSA Ed25519 Ed448 ECDH-ES dir A256GCMKW PBES2-HS256+A128KW unknown`)
	names = append(names, "", " HS256", "EdDSA ")
	cases := 0
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		for _, name := range names {
			if name == string(alg) {
				continue
			}
			head := `{"alg":"` + name + `","typ":"session+jwt","kid":"key-1"}`
			input := b64(head) + "." + b64(payload(t))
			signatures := []string{"", "AA", strings.Repeat("A", 43), strings.Repeat("A", 86), signRaw(t, k, input)}
			for _, form := range publicForms(t, k) {
				signatures = append(signatures, hmacRaw(form, input))
			}
			for i, signature := range signatures {
				cases++
				refused(t, set, fmt.Sprintf("%s as %q, signature %d", alg, name, i), input+"."+signature)
			}
		}
		// The right header, under the wrong secret.
		input := b64(header(k)) + "." + b64(payload(t))
		for i, form := range publicForms(t, k) {
			cases++
			refused(t, set, fmt.Sprintf("%s under public form %d", alg, i), input+"."+hmacRaw(form, input))
		}
	}
	if cases < 300 {
		t.Errorf("only %d cases", cases)
	}
}

// Headers that steer a verifier to a key of the forger's choice, or that two
// parsers read differently. Each is signed by the genuine key too, so that the
// header alone is what refuses it.
func TestHostileHeaders(t *testing.T) {
	forger, err := token.GenerateKey(token.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		good := header(k)
		with := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
		kid := func(id string) string { return strings.Replace(good, `"key-1"`, id, 1) }
		heads := []string{
			with(`"jku":"https://evil.example/jwks.json"`),
			with(`"x5u":"https://evil.example/cert.pem"`),
			with(`"jwk":` + string(token.JWKS(forger))),
			with(`"x5c":["MIIB"]`), with(`"x5t":"AA"`), with(`"x5t#S256":"AA"`),
			with(`"crit":["exp"],"exp":0`), with(`"crit":[]`), with(`"crit":["b64"],"b64":false`), with(`"b64":true`),
			with(`"zip":"DEF"`), with(`"enc":"A128GCM"`), with(`"p2c":2147483647,"p2s":"AA"`), with(`"epk":{}`),
			with(`"cty":"JWT"`), with(`"unknown":1`),
			with(`"alg":"none"`), with(`"alg":"` + string(alg) + `"`), with(`"kid":"key-1"`), with(`"kid":"key-2"`), with(`"typ":"JWT"`), with(`"ALG":"none"`),
			kid(`"../../../../dev/null"`), kid(`"..%2f..%2fetc%2fpasswd"`), kid(`"/proc/sys/kernel/randomize_va_space"`), kid(`"C:\\nul"`),
			kid(`"key-1' OR '1'='1"`), kid(`"key-1\" UNION SELECT 'k'--"`), kid(`"$(id)"`), kid(`"key-1|/bin/id"`),
			kid(`"https://evil.example/key"`), kid(`"file:///etc/passwd"`), kid(`"key-1\u0000"`), kid(`"key-1\n"`), kid(`"KEY-1"`), kid(`"key-2"`),
			kid(`""`), kid(`null`), kid(`1`), kid(`["key-1"]`), kid(`{}`), kid(`"` + strings.Repeat("k", 2500) + `"`), kid(`"` + strings.Repeat("k", 10000) + `"`),
			kid(`"\u006bey-1"`),
			strings.Replace(good, "session+jwt", "JWT", 1), strings.Replace(good, "session+jwt", "at+jwt", 1), strings.Replace(good, "session+jwt", "SESSION+JWT", 1),
			strings.Replace(good, "session+jwt", "application/session+jwt", 1), strings.Replace(good, `"typ":"session+jwt",`, "", 1),
			strings.Replace(good, `,"kid":"key-1"`, "", 1),
			`{"typ":"session+jwt","alg":"` + string(alg) + `","kid":"key-1"}`,
			" " + good, good + " ", good + "\n", "\ufeff" + good, strings.ReplaceAll(good, ",", ", "), strings.ReplaceAll(good, ":", ": "),
			good + good, good + "\x00", "[" + good + "]", "{}", "null", "", `"` + good, good[1:],
		}
		for _, head := range heads {
			what := fmt.Sprintf("%s header %.60q", alg, head)
			refused(t, set, what, forge(t, k, head, payload(t)))
			refused(t, set, what+" of a forger", forge(t, forger, head, payload(t)))
		}
	}
}

// Other spellings of a genuine token. A lenient decoder takes many of them; a
// token that has two spellings slips past whatever is keyed by its text.
func TestAliases(t *testing.T) {
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		raw := sign(t, k, claims(t))
		p := strings.Split(raw, ".")
		aliases := map[string]string{
			"empty": "", "one dot": ".", "two dots": "..", "only dots": strings.Repeat(".", 5000),
			"leading space": " " + raw, "trailing space": raw + " ", "line break": raw + "\n", "CRLF": raw + "\r\n", "tab": raw + "\t", "NUL": raw + "\x00",
			"break in header": p[0][:8] + "\n" + p[0][8:] + "." + p[1] + "." + p[2], "break in payload": p[0] + "." + p[1][:8] + "\r\n" + p[1][8:] + "." + p[2],
			"break in signature": p[0] + "." + p[1] + "." + p[2][:8] + "\n" + p[2][8:], "break after dot": p[0] + ".\n" + p[1] + "." + p[2],
			"padded header": p[0] + "=." + p[1] + "." + p[2], "padded payload": p[0] + "." + p[1] + "==." + p[2], "padded": raw + "=", "padded twice": raw + "==",
			"standard base64":     strings.NewReplacer("-", "+", "_", "/").Replace(raw) + "+",
			"Bearer":              "Bearer " + raw,
			"quoted":              `"` + raw + `"`,
			"percent":             strings.ReplaceAll(raw, ".", "%2E"),
			"fullwidth dots":      strings.ReplaceAll(raw, ".", "．"),
			"twice":               raw + raw,
			"twice with dot":      raw + "." + raw,
			"twice with comma":    raw + "," + raw,
			"four segments":       raw + ".",
			"four with leading":   "." + raw,
			"four with text":      raw + ".AAAA",
			"JWE":                 raw + ".AAAA.AAAA",
			"JWE direct":          b64(`{"alg":"dir","enc":"A256GCM"}`) + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
			"detached payload":    p[0] + ".." + p[2],
			"no signature":        p[0] + "." + p[1] + ".",
			"no signature or dot": p[0] + "." + p[1],
			"no header":           "." + p[1] + "." + p[2],
			"swapped":             p[1] + "." + p[0] + "." + p[2],
			"signature doubled":   raw + p[2],
			"flattened JSON":      `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`,
			"general JSON":        `{"payload":"` + p[1] + `","signatures":[{"protected":"` + p[0] + `","signature":"` + p[2] + `"}]}`,
			"4097 bytes":          raw + strings.Repeat("A", 4097-len(raw)),
			"unencoded payload":   b64(header(k)) + "." + payload(t) + "." + signRaw(t, k, b64(header(k))+"."+payload(t)),
		}
		for i := range p {
			for _, alias := range lastCharAliases(p[i]) {
				q := append([]string(nil), p...)
				q[i] = alias
				aliases[fmt.Sprintf("segment %d ending %s", i, alias[len(alias)-1:])] = strings.Join(q, ".")
			}
		}
		for name, alias := range aliases {
			refused(t, set, string(alg)+" "+name, alias)
		}
		// Even the holder of the key cannot give a payload a second spelling.
		for _, alias := range append(lastCharAliases(b64(payload(t))), b64(payload(t))+"=", "\n"+b64(payload(t))) {
			input := p[0] + "." + alias
			refused(t, set, string(alg)+" signed alias", input+"."+signRaw(t, k, input))
		}
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// lastCharAliases returns the other texts that a lenient base64url decoder
// reads as the same bytes: those that differ in the bits left over.
func lastCharAliases(s string) (aliases []string) {
	want, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	for _, c := range alphabet {
		alias := s[:len(s)-1] + string(c)
		if got, err := base64.RawURLEncoding.DecodeString(alias); err == nil && string(got) == string(want) && alias != s {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

// A megabyte of anything costs nothing (CVE-2025-30204).
func TestHugeInputAllocatesNothing(t *testing.T) {
	set := token.NewKeySet(issuer, ours(t, token.EdDSA))
	keys := refreshKeys()
	for name, huge := range map[string]string{
		"dots":    strings.Repeat(".", 1<<20),
		"letters": strings.Repeat("A", 1<<20),
		"token":   sign(t, ours(t, token.EdDSA), claims(t)) + strings.Repeat("A", 1<<20),
	} {
		if n := testing.AllocsPerRun(10, func() {
			set.Verify(huge, noon)
			keys.Open(huge)
			token.ParseID(huge)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	// Nor do dots within the limit.
	dots := strings.Repeat(".", 4096)
	if n := testing.AllocsPerRun(10, func() { set.Verify(dots, noon) }); n != 0 {
		t.Errorf("4096 dots: %v allocations", n)
	}
}
