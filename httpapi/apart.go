package httpapi

import (
	"net/http"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// A person who is known here and a pseudonym must not meet in one request: who
// reads both would know whose the pseudonym is. So an anonymous call is refused
// when it carries what names somebody, and under the origin that is kept for
// anonymous sessions nobody else's session lives.
var (
	errMixed = refuse(http.StatusBadRequest, api.InvalidRequest, `An anonymous call must carry no session: send it with credentials: "omit", and without Authorization.`)
	errApart = refuse(http.StatusForbidden, api.OriginDenied, "Under this address there are only anonymous sessions.")
	errNoJar = refuse(http.StatusBadRequest, api.InvalidRequest, "An anonymous session lives in cookies only under an address of its own (anonymous_origin). Use transport header.")
)

// carriesSession reports whether cookies came that are a session's, or may be
// taken for one's.
func carriesSession(r *http.Request) bool {
	jar, err := readCookies(r)
	return err != nil || jar.any()
}

// keepApart refuses what would tie a pseudonym to a person, on the call that
// begins a session of a type.
func (c *call) keepApart(r *http.Request, t session.Type, channel session.Channel) error {
	switch {
	case c.apart && t != session.Anonymous:
		return errApart
	case t == session.Anonymous && !c.apart && (carriesSession(r) || !c.session.IsZero()):
		return errMixed
	case t == session.Anonymous && !c.apart && channel == session.Cookie:
		return errNoJar
	}
	return nil
}

// mayBeHere refuses a session's secrets under the origin of anonymous ones,
// unless the session is one.
func (c *call) mayBeHere(id token.ID, genuine bool) error {
	if c.apart && genuine && id.Kind() != token.Anonymous {
		return errApart
	}
	return nil
}
