package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/client"
)

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

// Whatever is read as a feed is one that can be acted on.
func FuzzFeed(f *testing.F) {
	f.Add(200, `{"success":true,"data":{"position":"a.b-c_9","gap":false,"held_ms":1000,"age_ms":3,"more":false,"events":[{"event":"session.ended","session_id":"sess_00000000000000000000000000000000","reason":"revoked"},{"event":"keys.changed"}]}}`)
	f.Add(200, `{"success":true,"data":{"position":"a","held_ms":9223372036854775807,"age_ms":-1}}`)
	f.Add(200, `{"success":true,"data":{"position":"a","position":"b"}}`)
	f.Add(503, `{"success":false,"error":{"code":"unavailable","message":""}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		got, err := client.ReadFeed(status, jsonHeader, []byte(body))
		if err != nil {
			if got != nil || len(err.Error()) > 200 {
				t.Errorf("%v, %v", got, err)
			}
			return
		}
		if status != 200 || got.Position == "" || len(got.Position) > api.MaxPosition || strings.ContainsAny(got.Position, "&= \"\\\n%") ||
			got.HeldMS < 0 || got.AgeMS < 0 || got.HeldMS > 1e8 || got.AgeMS > 1e8 || len(got.Events) > api.MaxEvents {
			t.Errorf("%d %q: %+v", status, body, got)
		}
	})
}

// An answer about a token is valid, a refusal of that token, or unavailable; and a
// refusal is believed of a 401 only.
func FuzzValidation(f *testing.F) {
	f.Add(200, `{"success":true,"data":{"valid":true,"session_id":"sess_00000000000000000000000000000000","generation":2,"min_gen":1}}`)
	f.Add(401, `{"success":false,"data":{"valid":false,"reason":"session_invalid"},"error":{"code":"session_invalid","message":"x"}}`)
	f.Add(401, `{"success":false,"data":{"valid":false,"reason":"session_expired"},"error":{"code":"session_expired","message":"x","details":{"reason":"idle_timeout"}}}`)
	f.Add(401, `{"success":false,"error":{"code":"credential_invalid","message":"x"}}`)
	f.Add(403, `{"success":false,"data":{"valid":false,"reason":"permission_denied"},"error":{"code":"permission_denied","message":"x"}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		v, err := client.ReadValidation(status, jsonHeader, []byte(body))
		switch {
		case err == nil:
			if status != 200 || !v.Valid || v.MinGen > v.Generation {
				t.Errorf("%d %q: %+v", status, body, v)
			}
		case errors.Is(err, client.ErrInvalid), errors.Is(err, client.ErrExpired):
			if status != 401 || !strings.Contains(body, `session_`) && !strings.Contains(body, `\u`) {
				t.Errorf("%d %q: %v", status, body, err)
			}
		case !errors.Is(err, client.ErrUnavailable):
			t.Errorf("%d %q: %v", status, body, err)
		}
	})
}
