package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"unicode"
	"unicode/utf8"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// Operator returns the handler of the operator listener: metrics and health for
// those who look from inside, and the acts of those who show the key.
func Operator(s *session.Service, metrics http.Handler, key string, opts Options) (http.Handler, error) {
	o := &operators{s, sha256.Sum256([]byte(key))}
	block := api.OperatorPath + "/pseudonyms/{id}/block"
	return newMux(opts, []route{
		{access: operator, method: "GET", path: "/metrics", handle: func(w http.ResponseWriter, r *http.Request, _ call) error {
			metrics.ServeHTTP(w, r)
			return nil
		}},
		{access: operator, method: "POST", path: block, handle: handle(200, false, o.block)},
		{access: operator, method: "DELETE", path: block, handle: handle(200, false, o.unblock)},
	}, nil)
}

type operators struct {
	service *session.Service
	key     [sha256.Size]byte
}

// authorise refuses who does not show the key.
func (o *operators) authorise(c call) error {
	if shown := sha256.Sum256([]byte(c.credential)); subtle.ConstantTimeCompare(shown[:], o.key[:]) != 1 {
		return refuse(http.StatusUnauthorized, api.CredentialInvalid, "Send the operator key as Authorization: Bearer.")
	}
	return nil
}

// reason checks why an operator acts, which goes into the audit trail.
func (o *operators) reason(c call, text string) error {
	if err := o.authorise(c); err != nil {
		return err
	}
	for _, r := range text {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			text = ""
		}
	}
	if len(text) < 3 || len(text) > 200 {
		return refuse(http.StatusBadRequest, api.InvalidRequest, "Send a reason: 3 to 200 bytes of printable text.")
	}
	return nil
}

func (o *operators) block(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	if err := o.reason(c, in.Reason); err != nil {
		return api.Empty{}, err
	}
	return api.Empty{}, o.service.Block(r.Context(), r.PathValue("id"), in.Reason)
}

func (o *operators) unblock(r *http.Request, c call, in api.OperatorRequest) (api.Empty, error) {
	if err := o.reason(c, in.Reason); err != nil {
		return api.Empty{}, err
	}
	return api.Empty{}, o.service.Unblock(r.Context(), r.PathValue("id"), in.Reason)
}
