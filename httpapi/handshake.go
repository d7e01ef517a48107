package httpapi

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/mentalverse/session/api"
)

// maxProtocols bounds the subprotocols that a client may offer.
const maxProtocols = 8

// readHandshake holds a request against RFC 6455, section 4.2.1, and returns the
// ticket among the subprotocols that it offers, "" if there is none. It must
// offer api.SocketProtocol.
func readHandshake(r *http.Request) (ticket string, err error) {
	bad := func(status int, message string) (string, error) {
		return "", refuse(status, api.InvalidRequest, message)
	}
	if r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1) {
		return bad(http.StatusBadRequest, "A socket is opened over HTTP/1.1.")
	}
	if !hasWord(r.Header["Connection"], "upgrade") || !hasWord(r.Header["Upgrade"], "websocket") {
		return bad(http.StatusUpgradeRequired, "This call opens a WebSocket.")
	}
	if v := r.Header["Sec-Websocket-Version"]; len(v) != 1 || v[0] != "13" {
		return bad(http.StatusUpgradeRequired, "Only version 13 of the WebSocket protocol is served.")
	}
	if keys := r.Header["Sec-Websocket-Key"]; len(keys) != 1 || !isSocketKey(keys[0]) {
		return bad(http.StatusBadRequest, "Send one Sec-WebSocket-Key of 16 bytes in base64.")
	}
	if r.ContentLength != 0 {
		return bad(http.StatusBadRequest, "A handshake has no body.")
	}
	offered := splitList(r.Header["Sec-Websocket-Protocol"])
	if len(offered) > maxProtocols || !slices.Contains(offered, api.SocketProtocol) {
		return bad(http.StatusBadRequest, "Offer the subprotocol "+api.SocketProtocol+".")
	}
	for _, one := range offered {
		text, ok := strings.CutPrefix(one, api.TicketProtocol)
		if !ok {
			continue
		}
		if ticket != "" || text == "" {
			return bad(http.StatusBadRequest, "Offer one ticket.")
		}
		ticket = text
	}
	return ticket, nil
}

func isSocketKey(s string) bool {
	raw, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(raw) == 16 && !strings.ContainsAny(s, "\r\n")
}

// splitList splits the values of a field that is a list (RFC 9110, section
// 5.6.1), empty elements included.
func splitList(values []string) (list []string) {
	for _, line := range values {
		for one := range strings.SplitSeq(line, ",") {
			list = append(list, strings.Trim(one, " \t"))
		}
	}
	return list
}

// hasWord reports whether a list has the word, in lower case, in any case.
func hasWord(values []string, word string) bool {
	return slices.ContainsFunc(splitList(values), func(one string) bool { return strings.EqualFold(one, word) })
}
