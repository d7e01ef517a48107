package anonymous

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The verification key of Semaphore v4 at depth 20, as the ceremony published
// it: semaphore-20.json of the npm package @zk-kit/semaphore-artifacts 4.13.0
// (MIT, the licence beside it), byte for byte.
var (
	//go:embed semaphore-20.json
	keyJSON   []byte
	keyDigest = "6fda771369c19517c8f7575cb9f1d18a8846e46baa1dc0c032bac9492c29559e"
)

// publicSignals are root, nullifier, hash of the message, hash of the scope.
const publicSignals = 4

// fixedLines are a point of G2 readied for the Miller loop.
type fixedLines = [2][len(bn254.LoopCounter)]bn254.LineEvaluationAff

// key is the verification key, readied.
type key struct {
	alphaBeta    bn254.GT // the Miller loop of -α and β
	gamma, delta fixedLines
	constant     bn254.G1Affine // the vector's first point, which counts once
	signals      [publicSignals]fixedBase
}

var errKey = errors.New("anonymous: the built-in verification key is damaged")

// theKey is made once: its tables take some tens of milliseconds.
var theKey = sync.OnceValues(func() (*key, error) {
	if sum := sha256.Sum256(keyJSON); hex.EncodeToString(sum[:]) != keyDigest {
		return nil, errKey
	}
	return newKey(keyJSON)
})

// newKey reads a key in the form of snarkjs, where a number of F_p² stands
// with its lower part first.
func newKey(b []byte) (*key, error) {
	var file struct {
		Alpha []string   `json:"vk_alpha_1"`
		Beta  [][]string `json:"vk_beta_2"`
		Gamma [][]string `json:"vk_gamma_2"`
		Delta [][]string `json:"vk_delta_2"`
		IC    [][]string
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, errors.Join(errKey, err)
	}
	if len(file.IC) != publicSignals+1 {
		return nil, errKey
	}
	var failed error
	g1 := func(s []string) (p bn254.G1Affine) {
		if len(s) != 3 || s[2] != "1" {
			failed = errKey
			return p
		}
		_, errX := p.X.SetString(s[0])
		_, errY := p.Y.SetString(s[1])
		if errX != nil || errY != nil || p.IsInfinity() || !p.IsOnCurve() {
			failed = errKey
		}
		return p
	}
	g2 := func(s [][]string) (p bn254.G2Affine) {
		if len(s) != 3 || len(s[0]) != 2 || len(s[1]) != 2 || len(s[2]) != 2 || s[2][0] != "1" || s[2][1] != "0" {
			failed = errKey
			return p
		}
		p.X.SetString(s[0][0], s[0][1])
		p.Y.SetString(s[1][0], s[1][1])
		if p.IsInfinity() || !p.IsInSubGroup() {
			failed = errKey
		}
		return p
	}
	alpha, beta, gamma, delta := g1(file.Alpha), g2(file.Beta), g2(file.Gamma), g2(file.Delta)
	k := &key{constant: g1(file.IC[0])}
	for i := range k.signals {
		k.signals[i] = newFixedBase(g1(file.IC[i+1]))
	}
	if failed != nil {
		return nil, failed
	}
	alpha.Neg(&alpha)
	var err error
	if k.alphaBeta, err = bn254.MillerLoop([]bn254.G1Affine{alpha}, []bn254.G2Affine{beta}); err != nil {
		return nil, errors.Join(errKey, err)
	}
	k.gamma, k.delta = bn254.PrecomputeLines(gamma), bn254.PrecomputeLines(delta)
	return k, nil
}

// combine returns the key's vector times (1, signals).
func (k *key) combine(signals *[publicSignals]fr.Element) bn254.G1Affine {
	var sum bn254.G1Jac
	sum.FromAffine(&k.constant)
	for i := range signals {
		k.signals[i].addTo(&sum, &signals[i])
	}
	var p bn254.G1Affine
	return *p.FromJacobian(&sum)
}

// check is Groth16's equation, e(A, B) = e(α, β) e(signals, γ) e(C, δ), for
// points that are in their groups: one Miller loop over the three pairs that
// change, the fourth being a constant, and one final exponentiation.
func (k *key) check(a, c *bn254.G1Affine, b *bn254.G2Affine, signals *[publicSignals]fr.Element) bool {
	s := k.combine(signals)
	p := []bn254.G1Affine{*a, s, *c}
	p[1].Neg(&p[1])
	p[2].Neg(&p[2])
	// The loop overwrites its lines: it gets copies.
	f, err := bn254.MillerLoopFixedQ(p, []fixedLines{bn254.PrecomputeLines(*b), k.gamma, k.delta})
	if err != nil {
		return false // only for lists of different lengths
	}
	r := bn254.FinalExponentiation(&f, &k.alphaBeta)
	return r.IsOne()
}
