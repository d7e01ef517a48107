package api

import (
	"encoding/json"
	"reflect"
	"testing"
)

// The appended answers are the marshalled ones, whatever the fields hold; a field
// that is new and forgotten fails.
func FuzzAppendJSON(f *testing.F) {
	f.Add("a", "2026-11-24T10:00:00Z", int64(7), true)
	f.Add("", "\"\\<>&\x00\u2028é\xff", int64(-1<<63), false)
	f.Fuzz(func(t *testing.T, a, b string, n int64, valid bool) {
		for _, v := range []Appender{&Validation{}, &Tokens{}} {
			fields := reflect.ValueOf(v).Elem()
			for i := range fields.NumField() {
				switch field := fields.Field(i); field.Kind() {
				case reflect.String:
					field.SetString(a)
					a, b = b, a
				case reflect.Int64:
					field.SetInt(n)
				case reflect.Bool:
					field.SetBool(valid)
				case reflect.Slice:
					if valid {
						field.Set(reflect.ValueOf([]string{a, b}))
					}
				case reflect.Pointer:
					if valid {
						field.Set(reflect.ValueOf(&b))
					}
				default:
					t.Fatalf("no value for %v", field.Type())
				}
			}
			want, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.AppendJSON(nil); string(got) != string(want) {
				t.Errorf("\n%s, marshalled\n%s", got, want)
			}
		}
	})
}

func BenchmarkValidation(b *testing.B) {
	v := Validation{
		Valid: true, ExpiresAt: "2026-11-24T22:00:00Z", TimeRemaining: 43200, Permissions: []string{"read:profile", "write:messages"},
		SessionID: "sess_dc2erqnrq1vvingkl3c0a0j15kk51ofe", SessionType: "standard", UserID: "user_p66c5a3oefonsil6flhzqyoy6e",
		AuthTime: "2026-11-24T10:00:00Z", IdleExpiresAt: "2026-11-24T10:35:00Z", SessionExpiresAt: "2026-11-25T10:00:00Z",
	}
	b.Run("appended", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 1024)
		for b.Loop() {
			buf = v.AppendJSON(buf[:0])
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			json.Marshal(&v)
		}
	})
}
