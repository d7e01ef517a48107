package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mentalverse/session/sessiontest"
)

// fakeGroup serves the anonymous calls for a script: the real server does not lie.
type fakeGroup struct {
	shown atomic.Pointer[sessiontest.Members]
	other *sessiontest.Members
}

func (g *fakeGroup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.shown.Load().ServeHTTP(w, r)
}

// scriptGroup is a script's hand on a service of anonymous members:
//
//	group start      serves one
//	group publish N  lets those who wait and N strangers enter
//	group fork       keeps another history that begins here
//	group swap       shows the other history
func scriptGroup(ts *testscript.TestScript, neg bool, args []string) {
	g := ts.Value("group").(*fakeGroup)
	switch args[0] {
	case "start":
		g.shown.Store(sessiontest.NewMembers("app.example.com", time.Now))
		server := httptest.NewServer(g)
		ts.Defer(server.Close)
		ts.Setenv("SESSIOND_SERVER", server.URL)
	case "publish":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		g.shown.Load().Strangers(n)
		g.shown.Load().Publish()
	case "fork":
		g.other = g.shown.Load().Fork()
	case "swap":
		g.other = g.shown.Swap(g.other)
	default:
		ts.Fatalf("group %s", args[0])
	}
}
