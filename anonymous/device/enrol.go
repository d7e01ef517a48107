package device

import (
	"context"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/api"
)

// Enrol puts the device's commitment, made if there is none, among the members
// of the service, in the name of the standard session that token is of. When it
// enters the group is the service's to say: it waits for others, to hide when
// it came.
func (d *Device) Enrol(ctx context.Context, token string) (api.Membership, error) {
	g, err := d.chain(ctx)
	if err != nil {
		return api.Membership{}, err
	}
	who, err := d.identityOrNew()
	if err != nil {
		return api.Membership{}, err
	}
	d.Progress(Enrolling, 0, 0)
	c, err := ask[api.Challenge](ctx, d, d.known, call{
		method: "POST", path: "/challenge", bearer: token,
		in: api.ChallengeRequest{SessionType: "anonymous", Purpose: "enrol"},
	})
	if err != nil {
		return api.Membership{}, err
	}
	if err := anonymous.CheckEnrolment(g.pins.Service, anonymous.Challenge{Nonce: c.Nonce, Message: c.Message, Scope: c.Scope}); err != nil {
		return api.Membership{}, err
	}
	// In a group of one the root is the member: the path is empty.
	proof, err := d.prove(ctx, &prover.Statement{
		Identity: who, Message: g.pins.Service.Message(c.Nonce), Scope: g.pins.Service.EnrolScope(c.Nonce),
	})
	if err != nil {
		return api.Membership{}, err
	}
	return ask[api.Membership](ctx, d, d.known, call{
		method: "POST", path: "/anonymous/members", bearer: token,
		in: struct {
			Commitment string          `json:"commitment"`
			Challenge  string          `json:"challenge"`
			Proof      anonymous.Proof `json:"proof"`
		}{who.Commitment(), c.Nonce, proof},
	})
}

// Leave takes the user's commitment out of the group, whichever device made it.
// It takes effect when the epoch turns. The secret stays in its file.
func (d *Device) Leave(ctx context.Context, token string) (api.Membership, error) {
	return ask[api.Membership](ctx, d, d.known, call{method: "DELETE", path: "/anonymous/members", bearer: token})
}
