package server

import (
	"context"
	"log/slog"
	"sync/atomic"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/events"
)

// bell wakes the hub, which is made after the service that rings.
type bell struct{ hub atomic.Pointer[events.Hub] }

func (b *bell) ring() {
	if h := b.hub.Load(); h != nil {
		h.Wake()
	}
}

// followed is a service as its hub follows it.
type followed struct{ *session.Service }

// JWKS implements events.Source.
func (f followed) JWKS() []byte { return f.Keys().JWKS() }

func newHub(ctx context.Context, service *session.Service, log *slog.Logger) (*events.Hub, error) {
	return events.New(ctx, followed{service}, events.Options{
		Key: service.Keys().Derive("feed positions"), Epoch: service.RestoreEpoch(), Log: log,
	})
}
