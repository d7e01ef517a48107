package prover

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/twistededwards"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// ErrSecret refuses a secret outside of 1 … l-1, l the order of Baby Jubjub's
// subgroup.
var ErrSecret = errors.New("prover: the secret is no scalar of Baby Jubjub")

// Identity is a member's secret. Semaphore's libraries derive the scalar from
// a private key of any length; here it is drawn at random and is itself what
// the device keeps.
type Identity struct{ secret *big.Int }

// NewIdentity draws a secret.
func NewIdentity() (*Identity, error) {
	l := subgroupOrder()
	n, err := rand.Int(rand.Reader, l.Sub(l, big.NewInt(1)))
	if err != nil {
		return nil, err
	}
	return &Identity{n.Add(n, big.NewInt(1))}, nil
}

// ParseIdentity reads a secret in decimal, as Secret writes it.
func ParseIdentity(secret string) (*Identity, error) {
	n, err := semaphore.ParseNumber(secret)
	if err != nil {
		return nil, err
	}
	i := &Identity{new(big.Int).SetBytes(n[:])}
	return i, i.check()
}

func (i *Identity) check() error {
	l := subgroupOrder()
	if i == nil || i.secret == nil || i.secret.Sign() <= 0 || i.secret.Cmp(l) >= 0 {
		return ErrSecret
	}
	return nil
}

// Secret returns the secret in decimal. It must not leave the device.
func (i *Identity) Secret() string { return i.secret.String() }

// Format keeps the secret out of logs, whatever the verb.
func (i *Identity) Format(f fmt.State, _ rune) { io.WriteString(f, "identity") }

// PublicKey returns the secret's point on Baby Jubjub (EIP-2494).
func (i *Identity) PublicKey() (x, y fr.Element) {
	var p twistededwards.PointAffine
	p.ScalarMultiplicationBase(i.secret)
	x.Mul(&p.X, &untwist)
	return x, p.Y
}

// Commitment returns what groups hold of the member, in decimal.
func (i *Identity) Commitment() string {
	return semaphore.FormatScalar(semaphore.Poseidon(i.PublicKey()))
}

// untwist leads from the library's curve (a = -1) to Baby Jubjub (a = 168700):
// the two are isomorphic by stretching x, and both libraries' base points are
// images of each other, so the quotient of these is the factor.
var untwist = func() (f fr.Element) {
	base := twistededwards.GetEdwardsCurve().Base
	if _, err := f.SetString("5299619240641551281634865583518297030282874472190772894086521144482721001553"); err != nil {
		panic(err)
	}
	f.Div(&f, &base.X)
	return f
}()

func subgroupOrder() *big.Int {
	curve := twistededwards.GetEdwardsCurve()
	return &curve.Order
}
