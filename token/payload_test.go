package token_test

import (
	"strings"
	"testing"

	"github.com/mentalverse/session/token"
)

// Payloads that the genuine key signed but Sign never writes. A parser that
// takes one of them reads something that another parser reads differently.
func TestHostilePayloads(t *testing.T) {
	good := payload(t)
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in the payload", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	with := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	id := sessionID(t).String()
	bad := []string{
		"", "{}", "null", "[]", `"x"`, "0", good + good, good + "}", good + "\n", " " + good, "[" + good + "]", good[1:], good[:len(good)-1], "\ufeff" + good,
		// Repeated, unknown and renamed claims.
		with(`"sub":"user_02"`), with(`"exp":9999999999`), with(`"typ":"professional"`), with(`"iss":"` + issuer + `"`), with(`"scope":"manage:sessions"`),
		with(`"aud":"x"`), with(`"nbf":0`), with(`"jti":"1"`), with(`"admin":true`), with(`"":""`), with(``),
		`{"sub":"user_02",` + good[1:], swap(`"sub"`, `"Sub"`), swap(`"sub"`, `"s\u0075b"`), swap(`"exp"`, `"EXP"`),
		// Missing and moved ones.
		swap(`"sub":"user_01",`, ``), swap(`"gen":7,`, ``), swap(`"auth_time":1772366340,`, ``), swap(`,"typ":"standard"`, ``), swap(`,"scope":"read:profile write:messages"`, ``),
		swap(`"iat":1772366400,"exp":1772409600`, `"exp":1772409600,"iat":1772366400`),
		// White space.
		swap(`,"sub"`, `, "sub"`), swap(`"gen":7`, `"gen": 7`), swap(`"gen":7`, "\"gen\":7\t"), swap(`"gen":7`, "\n\"gen\":7"),
		// Numbers.
		swap(`"gen":7`, `"gen":"7"`), swap(`"gen":7`, `"gen":7.0`), swap(`"gen":7`, `"gen":7e0`), swap(`"gen":7`, `"gen":07`), swap(`"gen":7`, `"gen":+7`), swap(`"gen":7`, `"gen":-7`), swap(`"gen":7`, `"gen":-0`),
		swap(`"gen":7`, `"gen":4294967296`), swap(`"gen":7`, `"gen":18446744073709551623`), swap(`"gen":7`, `"gen":null`), swap(`"gen":7`, `"gen":true`), swap(`"gen":7`, `"gen":[7]`), swap(`"gen":7`, `"gen":`), swap(`"gen":7`, `"gen":0x7`),
		swap(`"exp":1772409600`, `"exp":253402300800`), swap(`"exp":1772409600`, `"exp":1e99`), swap(`"exp":1772409600`, `"exp":1772409600.5`), swap(`"exp":1772409600`, `"exp":-1`), swap(`"exp":1772409600`, `"exp":"never"`),
		swap(`"exp":1772409600`, `"exp":`+strings.Repeat("9", 400)), swap(`"iat":1772366400`, `"iat":null`), swap(`"auth_time":1772366340`, `"auth_time":false`),
		// Times that contradict one another.
		swap(`"exp":1772409600`, `"exp":1772366400`), swap(`"exp":1772409600`, `"exp":1772366399`), swap(`"exp":1772409600`, `"exp":0`),
		// Texts.
		swap(`"user_01"`, `""`), swap(`"user_01"`, `null`), swap(`"user_01"`, `1`), swap(`"user_01"`, `["user_01"]`), swap(`"user_01"`, `"user\u005f01"`), swap(`"user_01"`, `"user_01\""`), swap(`"user_01"`, `"\/"`),
		swap(`"user_01"`, "\"user\x0001\""), swap(`"user_01"`, "\"user\xff01\""), swap(`"user_01"`, `"usér"`), swap(`"user_01"`, `"user 01"`), swap(`"user_01"`, "\"user\n01\""), swap(`"user_01"`, `'user_01'`),
		swap(`"standard"`, `""`), swap(`"standard"`, `{"a":1}`),
		swap(`read:profile write`, `read:profile  write`), swap(`"read:`, `" read:`), swap(`messages"`, `messages "`), swap(`"read:profile write:messages"`, `["read:profile","write:messages"]`), swap(`"read:profile write:messages"`, `null`), swap(`"read:profile write:messages"`, `" "`), swap(`read:profile write`, "read:profile\twrite"),
		// Other issuers.
		swap(issuer, issuer+"/"), swap(issuer, issuer+".evil.example"), swap(issuer, strings.ToUpper(issuer)), swap(issuer, "x"), swap(issuer, ""),
		// Session ids.
		swap(id, ""), swap(id, "sess_"), swap(id, strings.ToUpper(id)), swap(id, id+"0"), swap(id, id[:len(id)-1]), swap(id, "user_"+id[5:]), swap(id, " "+id), swap(`"`+id+`"`, "null"),
	}
	for _, alg := range algorithms {
		k := ours(t, alg)
		set := token.NewKeySet(issuer, k)
		if _, err := set.Verify(forge(t, k, header(k), good), noon); err != nil {
			t.Fatalf("%s: the forger's copy should pass: %v", alg, err)
		}
		for _, p := range bad {
			refused(t, set, string(alg)+" payload "+p, forge(t, k, header(k), p))
		}
	}
}

// The kind of an id and the type of a session are the domain's to compare.
func TestTypeNeedNotMatchTheKind(t *testing.T) {
	k := ours(t, token.HS256)
	c := claims(t)
	c.Type = "professional"
	if got, err := token.NewKeySet(issuer, k).Verify(sign(t, k, c), noon); err != nil || got.SessionID.Kind() != token.Standard {
		t.Error(got, err)
	}
}
