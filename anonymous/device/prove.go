package device

import (
	"context"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/anonymous/prover"
)

// prove makes a proof with the pinned circuit and key.
func (d *Device) prove(ctx context.Context, s *prover.Statement) (p anonymous.Proof, err error) {
	d.Progress(Proving, 0, 0)
	store, err := artifacts.Open(d.Artifacts)
	if err != nil {
		return p, err
	}
	circuit, err := store.Read(artifacts.Circuit)
	if err != nil {
		return p, err
	}
	key, err := store.Read(artifacts.Key)
	if err != nil {
		return p, err
	}
	with, err := prover.New(ctx, circuit, key)
	if err != nil {
		return p, err
	}
	defer with.Close(context.WithoutCancel(ctx))
	made, err := with.Prove(ctx, s)
	if err != nil {
		return p, err
	}
	return anonymous.Proof(*made), nil
}
