package prover

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Poseidon over BN254's scalar field with x⁵, three elements, 8 full and 57
// partial rounds: circomlib's parameters for two inputs, which the paper's
// Grain generator yields (https://eprint.iacr.org/2019/458, appendix F).
const (
	poseidonWidth   = 3
	poseidonFull    = 8
	poseidonPartial = 57
)

var poseidonConstants, poseidonMix = poseidonParameters()

func poseidon(a, b fr.Element) fr.Element {
	state := [poseidonWidth]fr.Element{{}, a, b}
	for round := range poseidonFull + poseidonPartial {
		for i := range state {
			state[i].Add(&state[i], &poseidonConstants[round*poseidonWidth+i])
		}
		full := round < poseidonFull/2 || round >= poseidonFull/2+poseidonPartial
		for i := range state {
			if i == 0 || full {
				var fourth fr.Element
				fourth.Square(&state[i]).Square(&fourth)
				state[i].Mul(&state[i], &fourth)
			}
		}
		var mixed [poseidonWidth]fr.Element
		for i := range mixed {
			for j := range state {
				var t fr.Element
				mixed[i].Add(&mixed[i], t.Mul(&poseidonMix[i][j], &state[j]))
			}
		}
		state = mixed
	}
	return state[0]
}

func poseidonParameters() (constants []fr.Element, mix [poseidonWidth][poseidonWidth]fr.Element) {
	next := grain()
	number := func() *big.Int {
		n := new(big.Int)
		for range fr.Bits {
			n.Lsh(n, 1).SetBit(n, 0, next())
		}
		return n
	}
	for len(constants) < (poseidonFull+poseidonPartial)*poseidonWidth {
		if n := number(); n.Cmp(fr.Modulus()) < 0 {
			var e fr.Element
			constants = append(constants, *e.SetBigInt(n))
		}
	}
	// A Cauchy matrix of the next numbers; these are reduced, not rejected.
	var xy [2 * poseidonWidth]fr.Element
	for i := range xy {
		xy[i].SetBigInt(number())
	}
	for i := range mix {
		for j := range mix[i] {
			mix[i][j].Add(&xy[i], &xy[poseidonWidth+j]).Inverse(&mix[i][j])
		}
	}
	return constants, mix
}

// grain is the generator: an 80-bit shift register that starts with the
// parameters, runs idle for 160 bits, and then yields each second bit that
// follows a one.
func grain() (next func() uint) {
	var state []uint
	put := func(value, width int) {
		for i := width - 1; i >= 0; i-- {
			state = append(state, uint(value>>i&1))
		}
	}
	put(1, 2) // a prime field
	put(0, 4) // x^α
	put(fr.Bits, 12)
	put(poseidonWidth, 12)
	put(poseidonFull, 10)
	put(poseidonPartial, 10)
	put(1<<30-1, 30)
	step := func() uint {
		bit := state[62] ^ state[51] ^ state[38] ^ state[23] ^ state[13] ^ state[0]
		copy(state, state[1:])
		state[len(state)-1] = bit
		return bit
	}
	for range 160 {
		step()
	}
	return func() uint {
		for step() == 0 {
			step()
		}
		return step()
	}
}
