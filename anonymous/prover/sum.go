package prover

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A sum is points of the key and the wires that they count for. Points at
// infinity add nothing and are left out; of the second side's they are most.
type sum[P any] struct {
	points []P
	wires  []int
}

type (
	sum1 struct{ sum[bn254.G1Affine] }
	sum2 struct{ sum[bn254.G2Affine] }
)

func (s *sum1) add(p bn254.G1Affine, wire int) {
	if !p.IsInfinity() {
		s.points, s.wires = append(s.points, p), append(s.wires, wire)
	}
}

func (s *sum2) add(p bn254.G2Affine, wire int) {
	if !p.IsInfinity() {
		s.points, s.wires = append(s.points, p), append(s.wires, wire)
	}
}

// pick sorts a sum's points by their wires' values: zeros are dropped, and
// ones, which are many, need no multiplication.
func (s *sum[P]) pick(w []fr.Element) (ones, points []P, scalars []fr.Element) {
	for i, wire := range s.wires {
		switch v := &w[wire]; {
		case v.IsZero():
		case v.IsOne():
			ones = append(ones, s.points[i])
		default:
			points, scalars = append(points, s.points[i]), append(scalars, *v)
		}
	}
	return ones, points, scalars
}

func (s *sum1) of(w []fr.Element) (p bn254.G1Jac) {
	ones, points, scalars := s.pick(w)
	if _, err := p.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		panic(err) // the lengths are equal
	}
	for i := range ones {
		p.AddMixed(&ones[i])
	}
	return p
}

func (s *sum2) of(w []fr.Element) (p bn254.G2Jac) {
	ones, points, scalars := s.pick(w)
	if _, err := p.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		panic(err) // the lengths are equal
	}
	for i := range ones {
		p.AddMixed(&ones[i])
	}
	return p
}
