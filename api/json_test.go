package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestUnmarshalIsStrict(t *testing.T) {
	var got CreateRequest
	if err := Unmarshal([]byte(` {"session_type":"standard","duration":60,"permissions":["a"]} `), &got); err != nil || *got.Duration != 60 {
		t.Errorf("%+v, %v", got, err)
	}
	secret := "a-secret-value"
	for name, s := range map[string]string{
		"empty": "", "cut": `{"duration":`, "trailing": `{}{}`, "repeated": `{"duration":1,"duration":2}`, "unknown": `{"x":1}`,
		"caps": `{"Duration":1}`, "wrong type": `{"duration":"` + secret + `"}`, "bad UTF-8": "{\"transport\":\"\xff\"}",
		"lone surrogate": `{"transport":"\ud800"}`, "deep": `{"permissions":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + "}",
		"very deep": strings.Repeat("[", 100000), "overflow": `{"duration":9223372036854775808}`,
	} {
		err := Unmarshal([]byte(s), new(CreateRequest))
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats the input: %v", name, err)
		}
	}
}

// What is accepted means the same to the standard library.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"session_type":"standard","duration":60,"permissions":["a"],"credential":"x"}`))
	f.Add([]byte(`{"duration":1e2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var strict, lax CreateRequest
		if Unmarshal(b, &strict) != nil {
			return
		}
		if err := json.Unmarshal(b, &lax); err != nil || !reflect.DeepEqual(strict, lax) {
			t.Errorf("%q: %+v and %+v (%v)", b, strict, lax, err)
		}
	})
}
