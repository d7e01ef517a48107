package httpapi

import (
	"regexp"
	"slices"
	"testing"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// AUZ-01: every operator's call names a right that a role has, and is described.
func TestAnOperatorsCallNamesItsRight(t *testing.T) {
	var served, described []string
	for _, rt := range (&operators{}).routes() {
		if !session.RoleRoot.May(rt.needs) {
			t.Errorf("%s %s needs right %d", rt.method, rt.path, rt.needs)
		}
		served = append(served, api.OperatorPath+rt.path)
	}
	for _, m := range regexp.MustCompile(`(?m)^  (/\S+):$`).FindAllSubmatch(operatorAPI, -1) {
		described = append(described, string(m[1]))
	}
	slices.Sort(served)
	slices.Sort(described)
	if served = slices.Compact(served); !slices.Equal(served, described) {
		t.Errorf("served %v, described %v", served, described)
	}
	for _, silent := range []session.Right{0, -1, session.ManageOperators + 1} {
		if session.RoleRoot.May(silent) {
			t.Errorf("right %d is somebody's", silent)
		}
	}
}
