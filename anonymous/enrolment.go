package anonymous

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// VerifyEnrolment checks that whoever sent commitment holds its secret: the
// proof is over a group of this one member, whose root is the commitment itself
// (a node without a right child is its left child, up to any depth). It returns
// the commitment, which the group's owner must still hold against those that
// are there ([Group.Add], ErrDuplicate).
func (v *Verifier) VerifyEnrolment(ctx context.Context, s ServiceID, nonce, commitment string, p Proof) (fr.Element, error) {
	c, err := ParseCommitment(commitment)
	if err != nil {
		return fr.Element{}, refused(err)
	}
	_, err = v.Verify(ctx, p, Statement{
		Message: s.Message(nonce),
		Scope:   s.EnrolScope(nonce),
		Root:    func(root fr.Element) bool { return root == c },
	})
	if err != nil {
		return fr.Element{}, err
	}
	return c, nil
}

// VerifySignIn checks a proof for a challenge of an epoch against the window
// of accepted snapshots and returns its nullifier.
func (v *Verifier) VerifySignIn(ctx context.Context, s ServiceID, nonce string, epoch uint64, p Proof, accepts func(root fr.Element) bool) (fr.Element, error) {
	return v.Verify(ctx, p, Statement{Message: s.Message(nonce), Scope: s.Scope(epoch), Root: accepts})
}
