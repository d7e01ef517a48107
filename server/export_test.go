package server

import (
	"context"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/events"
)

// RaceEnabled is raceEnabled for the tests from outside.
const RaceEnabled = raceEnabled

// RestoreInSteps is restore for the tests from outside.
var RestoreInSteps = restore

// NewHub is newHub without a log.
func NewHub(ctx context.Context, service *session.Service) (*events.Hub, error) {
	return newHub(ctx, service, nil)
}
