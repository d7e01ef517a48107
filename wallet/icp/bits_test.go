package icp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet/icp"
)

// One bit of a person's delegation, whole credential, both layouts.
func TestEveryBitOfADelegationMatters(t *testing.T) {
	for _, layout := range []sessiontest.Layout{sessiontest.OneLeaf, sessiontest.Sharded} {
		ic := sessiontest.NewInternetComputer(layout)
		n := icp.NewNetwork(ic.RootKey())
		c, account := made(t, must[*icp.Identity](t)(ic.SignIn("ada", now)))
		d := &c.Delegations[0]
		for _, b := range []*[]byte{(*[]byte)(&c.Signature), (*[]byte)(&c.PublicKey), (*[]byte)(&d.Delegation.PublicKey)} {
			whole := *b
			for bit := range len(whole) * 8 {
				*b = bytes.Clone(whole)
				(*b)[bit/8] ^= 1 << (bit % 8)
				if _, err := n.Verify(t.Context(), c, account, now); err == nil {
					t.Errorf("bit %d of %x", bit, whole)
				}
			}
			*b = whole
		}
		was := d.Delegation.Expiration
		d.Delegation.Expiration = was[:len(was)-1] + "1"
		if _, err := n.Verify(t.Context(), c, account, now); !errors.Is(err, icp.ErrNotSigned) {
			t.Errorf("a nanosecond more: %v", err)
		}
	}
}
