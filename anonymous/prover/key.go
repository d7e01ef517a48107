package prover

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// ErrKey refuses a proving key.
var ErrKey = errors.New("prover: not a proving key")

// maxDomain bounds keys, whatever their file says.
const maxDomain = 1 << 20

// Key is a Groth16 proving key over BN254, as circom's tools write it. It may
// be used by many at once.
type Key struct {
	wires int

	alpha1, beta1, delta1 bn254.G1Affine
	beta2, gamma2, delta2 bn254.G2Affine
	public                []bn254.G1Affine

	rowsA, rowsB []coefficient
	domain       *fft.Domain

	a, b1, c, h sum1
	b2          sum2
}

// coefficient is what a wire counts in a constraint.
type coefficient struct {
	constraint, wire uint32
	value            fr.Element
}

// ParseKey reads a key whole. Every length must be what the header says, every
// number below its modulus, every point on its curve. Whether these are the
// ceremony's points only the file's digest can tell.
func ParseKey(file []byte) (*Key, error) {
	parts, err := split(file)
	if err != nil {
		return nil, err
	}
	if r := (reader{rest: parts[sectionProtocol]}); len(r.rest) != 4 || r.uint32() != protocolGroth16 {
		return nil, fmt.Errorf("%w: not for Groth16", ErrKey)
	}
	k := new(Key)
	public, size, err := k.header(parts[sectionHeader])
	if err != nil {
		return nil, err
	}
	for section, want := range map[int]int{
		sectionPublic: (public + 1) * sizeG1,
		sectionA:      k.wires * sizeG1,
		sectionB1:     k.wires * sizeG1,
		sectionB2:     k.wires * sizeG2,
		sectionC:      (k.wires - public - 1) * sizeG1,
		sectionH:      size * sizeG1,
	} {
		if len(parts[section]) != want {
			return nil, fmt.Errorf("%w: section %d has %d bytes, not %d", ErrKey, section, len(parts[section]), want)
		}
	}
	if err := k.coefficients(parts[sectionCoefficients], size); err != nil {
		return nil, err
	}
	points := func(section, first int) (s sum1) {
		r := reader{rest: parts[section]}
		for wire := first; len(r.rest) > 0; wire++ {
			s.add(r.g1(), wire)
		}
		if r.failed {
			err = fmt.Errorf("%w: a point of section %d is not on the curve", ErrKey, section)
		}
		return s
	}
	k.public = points(sectionPublic, 0).points
	k.a, k.b1 = points(sectionA, 0), points(sectionB1, 0)
	k.c, k.h = points(sectionC, public+1), points(sectionH, 0)
	r := reader{rest: parts[sectionB2]}
	for wire := 0; len(r.rest) > 0; wire++ {
		k.b2.add(r.g2(), wire)
	}
	switch {
	case r.failed:
		return nil, fmt.Errorf("%w: a point of section %d is not on the curve", ErrKey, sectionB2)
	case err != nil:
		return nil, err
	case len(k.public) != public+1:
		return nil, fmt.Errorf("%w: infinity for a public signal", ErrKey)
	}
	// The quotient is evaluated at the odd roots of unity of twice the order;
	// the ceremony's tools bring section H into that basis.
	odd, err := fft.Generator(2 * uint64(size))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k.domain = fft.NewDomain(uint64(size), fft.WithShift(odd))
	return k, nil
}

func (k *Key) header(b []byte) (public, size int, err error) {
	r := reader{rest: b}
	for _, order := range [][4]uint64{fieldOrder, scalarOrder} {
		if r.uint32() != 32 || limbs(r.take(32)) != order {
			return 0, 0, fmt.Errorf("%w: not over BN254", ErrKey)
		}
	}
	wires, signals, domain := r.uint32(), r.uint32(), r.uint32()
	if r.failed || wires > maxWires || signals >= wires || domain < 2 || domain > maxDomain || domain&(domain-1) != 0 {
		return 0, 0, fmt.Errorf("%w: %d wires, %d of them public, in %d constraints", ErrKey, wires, signals, domain)
	}
	k.alpha1, k.beta1 = r.g1(), r.g1()
	k.beta2, k.gamma2 = r.g2(), r.g2()
	k.delta1, k.delta2 = r.g1(), r.g2()
	if r.failed || len(r.rest) != 0 {
		return 0, 0, fmt.Errorf("%w: the header's points", ErrKey)
	}
	// A delta at infinity would leave proofs without their blinding.
	for _, p := range []bn254.G1Affine{k.alpha1, k.beta1, k.delta1} {
		if p.IsInfinity() {
			return 0, 0, fmt.Errorf("%w: infinity in the header", ErrKey)
		}
	}
	for _, p := range []bn254.G2Affine{k.beta2, k.gamma2, k.delta2} {
		if p.IsInfinity() || !p.IsInSubGroup() {
			return 0, 0, fmt.Errorf("%w: a point of the header is outside of the group", ErrKey)
		}
	}
	k.wires = int(wires)
	return int(signals), int(domain), nil
}

func (k *Key) coefficients(b []byte, size int) error {
	const each = 3*4 + 32
	r := reader{rest: b}
	if n := r.uint32(); r.failed || uint64(len(r.rest)) != uint64(n)*each {
		return fmt.Errorf("%w: section %d has %d bytes for %d coefficients", ErrKey, sectionCoefficients, len(b), n)
	}
	for len(r.rest) > 0 {
		matrix := r.uint32()
		c := coefficient{constraint: r.uint32(), wire: r.uint32()}
		w := limbs(r.take(32))
		if matrix > 1 || int64(c.constraint) >= int64(size) || int64(c.wire) >= int64(k.wires) || !below(w, scalarOrder) {
			return fmt.Errorf("%w: a coefficient is out of its range", ErrKey)
		}
		// Coefficients stand in Montgomery form twice over: taking it off once
		// leaves the library's own.
		e := fr.Element(w)
		c.value = e.Bits()
		if matrix == 0 {
			k.rowsA = append(k.rowsA, c)
		} else {
			k.rowsB = append(k.rowsB, c)
		}
	}
	k.rowsA, k.rowsB = slices.Clip(k.rowsA), slices.Clip(k.rowsB)
	return nil
}

var fieldOrder, scalarOrder = order(fp.Modulus()), order(fr.Modulus())

func order(n *big.Int) [4]uint64 {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return limbs(b)
}
