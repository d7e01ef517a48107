package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// refusals maps the domain's codes to the wire's and their status, once.
var refusals = map[session.Code]struct {
	code   api.Code
	status int
}{
	session.CodeExpired:           {api.SessionExpired, http.StatusUnauthorized},
	session.CodeInvalid:           {api.SessionInvalid, http.StatusUnauthorized},
	session.CodeRefreshFailed:     {api.RefreshFailed, http.StatusUnauthorized},
	session.CodeRefreshSuperseded: {api.RefreshSuperseded, http.StatusConflict},
	session.CodePermissionDenied:  {api.PermissionDenied, http.StatusForbidden},
	session.CodeInvalidRequest:    {api.InvalidRequest, http.StatusBadRequest},
	session.CodeCredentialInvalid: {api.CredentialInvalid, http.StatusUnauthorized},
	session.CodeChallengeInvalid:  {api.ChallengeInvalid, http.StatusUnauthorized},
	session.CodeReauthentication:  {api.ReauthenticationRequired, http.StatusUnauthorized},
	session.CodeNotFound:          {api.NotFound, http.StatusNotFound},
	session.CodeUnavailable:       {api.Unavailable, http.StatusServiceUnavailable},
}

// failure is a refusal on its way out: what is shown, and what is logged.
type failure struct {
	status int
	shown  api.Error
	cause  error
	retry  time.Duration // when to ask again, of 429 and 503
}

func (f *failure) Error() string { return f.shown.Error() }

func refuse(status int, code api.Code, message string) *failure {
	return &failure{status: status, shown: api.Error{Code: code, Message: message}}
}

// failureOf maps any error. What is not a known refusal is unknown, shows
// nothing, and answers 503: never "valid", never "log in again".
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var e *session.Error
	if !errors.As(err, &e) {
		e = session.Refuse(session.CodeUnavailable, "The service cannot answer right now. Try again shortly.", err)
	}
	r := refusals[e.Code]
	f = &failure{status: r.status, shown: api.Error{Code: r.code, Message: e.Message}, cause: e}
	if e.Reason != "" || e.Missing != nil || e.MaxAge != 0 {
		f.shown.Details = &api.ErrorDetails{Reason: e.Reason, Missing: e.Missing, MaxAge: e.MaxAge}
	}
	return f
}

// bodies are the buffers of answers.
var bodies = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 2048)) }}

// writeData answers with what a call came to.
func writeData[Out any](w http.ResponseWriter, status int, out *Out) {
	if a, ok := any(out).(api.Appender); ok {
		writeAppended(w, status, a.AppendJSON)
		return
	}
	b := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(b)
	b.Reset()
	encode(b, api.Envelope[Out]{Success: true, Data: out})
	writeBody(w, status, b.Bytes())
}

// writeAppended is writeData of what appends its own JSON.
func writeAppended(w http.ResponseWriter, status int, data func([]byte) []byte) {
	b := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(b)
	b.Reset()
	b.WriteString(`{"success":true,"data":`)
	b.Write(data(b.AvailableBuffer()))
	b.WriteString("}\n")
	writeBody(w, status, b.Bytes())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	encode(&b, v)
	writeBody(w, status, b.Bytes())
}

// encode writes the JSON of v; the API's own types always marshal.
func encode(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
}

var jsonType = []string{"application/json"}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if len(body) >= 2048 { // net/http counts shorter ones itself
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	w.Write(body)
}

// writeFailure answers a refusal. validate also gets the data that keeps the
// specification's client alive.
func writeFailure(w http.ResponseWriter, r *http.Request, log *slog.Logger, f *failure, validate bool) {
	h := w.Header()
	switch f.status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", retryAfter(f.retry))
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challengeHeader(f))
	case http.StatusUpgradeRequired: // RFC 6455, section 4.4
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
		h.Set("Sec-WebSocket-Version", "13")
	}
	// Without a cause there is nothing for an operator to mend: the service is
	// busy, or the group small. And to tell of each who came would be a diary.
	level := slog.LevelDebug
	if f.status >= 500 && errors.Unwrap(f.cause) != nil {
		level = slog.LevelError
	}
	log.LogAttrs(r.Context(), level, "refused", slog.String("code", string(f.shown.Code)), slog.Any("cause", f.cause))
	if validate {
		h.Set(refusalField, string(f.shown.Code)) // for a gateway, which does not see the body
		writeJSON(w, f.status, api.Envelope[api.Invalidity]{Data: &api.Invalidity{Reason: f.shown.Code}, Error: &f.shown})
		return
	}
	writeJSON(w, f.status, api.Envelope[api.Empty]{Error: &f.shown})
}

// challengeHeader is the WWW-Authenticate of a 401 (RFC 6750 section 3, and
// RFC 9470 section 3 for fresh authentication).
func challengeHeader(f *failure) string {
	if f.shown.Code == api.ReauthenticationRequired {
		age := 0 // details leave it out
		if f.shown.Details != nil {
			age = f.shown.Details.MaxAge
		}
		return `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="` +
			strconv.Itoa(age) + `"`
	}
	return `Bearer error="invalid_token"`
}

// stamp is the wire's form of a time: RFC 3339 UTC with seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// idAndStamps are an id's text and the stamps of times, in one piece of memory.
func idAndStamps(id token.ID, times [4]time.Time) (text string, stamps [4]string) {
	var room [160]byte
	var ends [len(times)]int
	b := id.Append(room[:0])
	first := len(b)
	for i, t := range times {
		b = t.UTC().AppendFormat(b, time.RFC3339)
		ends[i] = len(b)
	}
	all, from := string(b), first
	for i, end := range ends {
		stamps[i], from = all[from:end], end
	}
	return all[:first], stamps
}
