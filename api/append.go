package api

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Appender is an answer that appends its own JSON, as encoding/json would marshal
// it: what is asked for most costs no reflection and no allocation.
type Appender interface {
	AppendJSON(b []byte) []byte
}

// AppendJSON appends v as encoding/json would marshal it.
func (v *Validation) AppendJSON(b []byte) []byte {
	b = append(b, `{"valid":`...)
	b = strconv.AppendBool(b, v.Valid)
	b = appendString(append(b, `,"expires_at":`...), v.ExpiresAt)
	b = strconv.AppendInt(append(b, `,"time_remaining":`...), v.TimeRemaining, 10)
	b = appendStrings(append(b, `,"permissions":`...), v.Permissions)
	b = appendString(append(b, `,"session_id":`...), v.SessionID)
	b = appendString(append(b, `,"session_type":`...), v.SessionType)
	for _, f := range [...]struct{ name, value string }{
		{`,"user_id":`, v.UserID}, {`,"anonymous_id":`, v.AnonymousID}, {`,"principal":`, v.Principal}, {`,"address":`, v.Address},
		{`,"professional_id":`, v.ProfessionalID}, {`,"verification_level":`, v.VerificationLevel},
	} {
		if f.value != "" {
			b = appendString(append(b, f.name...), f.value)
		}
	}
	b = appendString(append(b, `,"auth_time":`...), v.AuthTime)
	b = appendString(append(b, `,"idle_expires_at":`...), v.IdleExpiresAt)
	b = appendString(append(b, `,"session_expires_at":`...), v.SessionExpiresAt)
	return append(b, '}')
}

// AppendJSON appends v as encoding/json would marshal it.
func (v *Tokens) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for _, f := range [...]struct{ name, value string }{{`"session_token":`, v.SessionToken}, {`"refresh_token":`, v.RefreshToken}} {
		if f.value != "" {
			b = append(appendString(append(b, f.name...), f.value), ',')
		}
	}
	b = appendString(append(b, `"expires_at":`...), v.ExpiresAt)
	b = appendString(append(b, `,"session_id":`...), v.SessionID)
	b = appendString(append(b, `,"session_type":`...), v.SessionType)
	b = appendStrings(append(b, `,"permissions":`...), v.Permissions)
	b = strconv.AppendInt(append(b, `,"expires_in":`...), v.ExpiresIn, 10)
	b = append(b, `,"refresh_at":`...)
	if v.RefreshAt == nil {
		b = append(b, "null"...)
	} else {
		b = appendString(b, *v.RefreshAt)
	}
	b = appendString(append(b, `,"idle_expires_at":`...), v.IdleExpiresAt)
	b = appendString(append(b, `,"session_expires_at":`...), v.SessionExpiresAt)
	for _, f := range [...]struct{ name, value string }{{`,"device_label":`, v.DeviceLabel}, {`,"csrf_token":`, v.CSRFToken}} {
		if f.value != "" {
			b = appendString(append(b, f.name...), f.value)
		}
	}
	return append(b, '}')
}

// appendStrings appends a JSON array of strings, null for none.
func appendStrings(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// plain are the characters that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return t
}()

// appendString appends a JSON string. What needs no escape, as everything here
// does, is copied.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
