package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/mentalverse/session/test/contract"
)

// The specification's client code runs unchanged against this server, on a
// clock that both share.
func TestTheSpecificationsClient(t *testing.T) {
	w := newWorld(t)
	control := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if ms, err := strconv.ParseInt(r.URL.Query().Get("ms"), 10, 64); err == nil {
			w.clock.Advance(time.Duration(ms) * time.Millisecond)
		}
		fmt.Fprint(rw, w.clock.Now().UnixMilli())
	}))
	defer control.Close()
	contract.Run(t, w.url, control.URL)
}
