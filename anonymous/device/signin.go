package device

import (
	"context"
	"fmt"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/api"
)

// SignIn opens an anonymous session. The group comes first, so that the
// challenge is fresh when it is answered. It asks for nothing that could tell
// one member from another: no label, no life and no permissions of its own.
func (d *Device) SignIn(ctx context.Context) (tokens api.Tokens, err error) {
	who, err := d.identity()
	if err != nil {
		return tokens, err
	}
	g, path, err := d.path(ctx, who)
	if err != nil {
		return tokens, err
	}
	nonce, err := d.challenge(ctx, g)
	if err != nil {
		return tokens, err
	}
	service := g.pins.Service
	proof, err := d.prove(ctx, &prover.Statement{
		Identity: who, Path: path, Message: service.Message(nonce), Scope: service.Scope(g.head.Epoch),
	})
	if err != nil {
		return tokens, err
	}
	if proof.MerkleTreeRoot != anonymous.FormatScalar(g.head.Root) {
		return tokens, fmt.Errorf("device: the proof is over another group")
	}
	d.Progress(SigningIn, 0, 0)
	credential, err := anonymous.Credential{Version: 1, Type: anonymous.CredentialType, Challenge: nonce, Proof: proof}.Encode()
	if err != nil {
		return tokens, err
	}
	return ask[api.Tokens](ctx, d, d.unnamed, call{
		method: "POST", path: "/sessions", bearer: credential,
		in: api.CreateRequest{SessionType: "anonymous", Activity: "reported"},
	})
}

// path returns the newest group and this member's path in it.
func (d *Device) path(ctx context.Context, who *prover.Identity) (g *group, p semaphore.Path, err error) {
	if g, err = d.follow(ctx); err != nil {
		return nil, p, err
	}
	if g.head == nil {
		return nil, p, ErrNotMember
	}
	m, err := d.download(ctx, g)
	if err != nil {
		return nil, p, err
	}
	commitment, err := anonymous.ParseCommitment(who.Commitment())
	if err != nil {
		return nil, p, err
	}
	p, err = m.find(commitment)
	return g, p, err
}

// challenge returns the nonce of a challenge that asks for nothing but what the
// device computes itself, in the group's own epoch: an older group's members
// would be refused there.
func (d *Device) challenge(ctx context.Context, g *group) (nonce string, err error) {
	c, err := ask[api.Challenge](ctx, d, d.unnamed, call{
		method: "POST", path: "/challenge", in: api.ChallengeRequest{SessionType: "anonymous"},
	})
	if err != nil {
		return "", err
	}
	if c.Epoch == nil {
		return "", anonymous.ErrChallengeEpoch
	}
	asked := anonymous.Challenge{Nonce: c.Nonce, Epoch: *c.Epoch, Message: c.Message, Scope: c.Scope}
	if err := anonymous.CheckChallenge(g.pins.Service, g.pins.epochs(), asked, d.Now()); err != nil {
		return "", err
	}
	if asked.Epoch != g.head.Epoch {
		return "", ErrTurn
	}
	return c.Nonce, nil
}
