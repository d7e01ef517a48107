package anonymous

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	session "github.com/mentalverse/session"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// numbers are the places of all of a proof's numbers.
func (p *Proof) numbers() map[string]*string {
	m := map[string]*string{"root": &p.MerkleTreeRoot, "nullifier": &p.Nullifier, "message": &p.Message, "scope": &p.Scope}
	for i, name := range []string{"A.x", "A.y", "B.x1", "B.x0", "B.y1", "B.y0", "C.x", "C.y"} {
		m[name] = &p.Points[i]
	}
	return m
}

func plus(t testing.TB, s string, n *big.Int) string {
	t.Helper()
	b, ok := new(big.Int).SetString(s, 10)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return b.Add(b, n).String()
}

// anyRoot accepts every root: what is refused is refused for something else.
func anyRoot(t testing.TB, p Proof) Statement {
	s := statementOf(t, p)
	s.Root = func(fr.Element) bool { return true }
	return s
}

func refuses(t *testing.T, v *Verifier, p Proof, s Statement, want error) {
	t.Helper()
	n, err := v.Verify(t.Context(), p, s)
	if !errors.Is(err, want) || session.CodeOf(err) != session.CodeCredentialInvalid || n != (fr.Element{}) {
		t.Errorf("%v, want %v", err, want)
	}
}

func TestNumbersOfAnotherSpellingAreRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	s := anyRoot(t, good)
	for name := range good.numbers() {
		for spelling, spell := range map[string]func(string) string{
			"leading zero": func(s string) string { return "0" + s },
			"plus":         func(s string) string { return "+" + s },
			"minus":        func(s string) string { return "-" + s },
			"minus zero":   func(string) string { return "-0" },
			"space before": func(s string) string { return " " + s },
			"space after":  func(s string) string { return s + " " },
			"line break":   func(s string) string { return s + "\n" },
			"hex":          func(s string) string { b, _ := new(big.Int).SetString(s, 10); return "0x" + b.Text(16) },
			"underscore":   func(s string) string { return s[:3] + "_" + s[3:] },
			"point":        func(s string) string { return s + ".0" },
			"exponent":     func(s string) string { return s + "e0" },
			"other digits": func(s string) string { return s[1:] + "٣" },
			"NUL":          func(s string) string { return s + "\x00" },
			"empty":        func(string) string { return "" },
			"very long":    func(string) string { return strings.Repeat("9", 1e6) },
		} {
			t.Run(name+", "+spelling, func(t *testing.T) {
				p := good
				at := p.numbers()[name]
				*at = spell(*at)
				refuses(t, v, p, s, semaphore.ErrNumber)
			})
		}
	}
}

// n + r stands for the same element as n: another name for the same member.
func TestAnAliasedSignalIsRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	for _, name := range []string{"root", "nullifier"} {
		for times := range int64(5) { // 5r is below 2^256, 6r is not
			p := good
			at := p.numbers()[name]
			*at = plus(t, *at, new(big.Int).Mul(big.NewInt(times+1), fr.Modulus()))
			refuses(t, v, p, anyRoot(t, good), semaphore.ErrRange)
		}
		p := good
		*p.numbers()[name] = plus(t, *p.numbers()[name], new(big.Int).Neg(fr.Modulus()))
		refuses(t, v, p, anyRoot(t, good), semaphore.ErrNumber) // n - r, a negative number
		*p.numbers()[name] = fr.Modulus().String()
		refuses(t, v, p, anyRoot(t, good), semaphore.ErrRange)
	}
	for _, name := range []string{"message", "scope"} {
		p := good
		*p.numbers()[name] = plus(t, "0", new(big.Int).Lsh(big.NewInt(1), 256))
		refuses(t, v, p, anyRoot(t, good), semaphore.ErrRange)
	}
}

func TestACoordinateBeyondTheFieldIsRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	for i := range good.Points {
		p := good
		p.Points[i] = plus(t, good.Points[i], fp.Modulus())
		refuses(t, v, p, anyRoot(t, good), semaphore.ErrRange)
		p.Points[i] = fp.Modulus().String()
		refuses(t, v, p, anyRoot(t, good), semaphore.ErrRange)
		p.Points[i] = plus(t, "0", new(big.Int).Lsh(big.NewInt(1), 256))
		refuses(t, v, p, anyRoot(t, good), semaphore.ErrRange)
	}
}

func TestInfinityIsRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	for _, at := range [][]int{{0, 1}, {2, 3, 4, 5}, {6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}} {
		p := good
		for _, i := range at {
			p.Points[i] = "0"
		}
		refuses(t, v, p, anyRoot(t, good), ErrInfinity)
	}
}

func TestAPointOffItsCurveIsRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	for i := range good.Points {
		p := good
		if p.Points[i] = plus(t, good.Points[i], big.NewInt(1)); p.Points[i] == fp.Modulus().String() {
			p.Points[i] = "0"
		}
		refuses(t, v, p, anyRoot(t, good), ErrCurve)
	}
}

func TestAPointOutsideTheSubgroupIsRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	var seed bn254.E2
	seed.A0.SetUint64(7)
	jac := bn254.GeneratePointNotInG2(seed)
	var q bn254.G2Affine
	q.FromJacobian(&jac)
	if !q.IsOnCurve() || q.IsInSubGroup() {
		t.Fatal("the point is not what the test needs")
	}
	p := good
	for i, e := range []fp.Element{q.X.A1, q.X.A0, q.Y.A1, q.Y.A0} {
		p.Points[2+i] = e.String()
	}
	refuses(t, v, p, anyRoot(t, good), ErrSubgroup)

	// The proof's own point, moved by one of the cofactor's group, pairs as it did.
	_, _, b, err := good.points()
	if err != nil {
		t.Fatal(err)
	}
	var stray bn254.G2Affine // q times the order, which the library would reduce to nothing
	for i := fr.Modulus().BitLen() - 1; i >= 0; i-- {
		stray.Double(&stray)
		if fr.Modulus().Bit(i) == 1 {
			stray.Add(&stray, &q)
		}
	}
	if stray.IsInfinity() {
		t.Fatal("the point lies in the subgroup")
	}
	b.Add(&b, &stray)
	for i, e := range []fp.Element{b.X.A1, b.X.A0, b.Y.A1, b.Y.A0} {
		p.Points[2+i] = e.String()
	}
	refuses(t, v, p, anyRoot(t, good), ErrSubgroup)
}

func TestSwappedHalvesAreRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	p := good
	p.Points[2], p.Points[3] = p.Points[3], p.Points[2]
	p.Points[4], p.Points[5] = p.Points[5], p.Points[4]
	refuses(t, v, p, anyRoot(t, good), ErrCurve)
	p = good // both are points of the same curve
	p.Points[0], p.Points[1], p.Points[6], p.Points[7] = p.Points[6], p.Points[7], p.Points[0], p.Points[1]
	refuses(t, v, p, anyRoot(t, good), ErrProof)
}

func TestAnotherDepthIsRefused(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	for _, depth := range []int{-1, 0, 1, 19, 21, 32, 1 << 40} {
		p := good
		p.MerkleTreeDepth = depth
		refuses(t, v, p, anyRoot(t, good), ErrDepth)
	}
}

// No number of a proof can be another by a bit, or by its sign on the curve.
func TestEveryBitOfAProofsNumbersMatters(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	s := statementOf(t, good)
	if _, err := v.Verify(t.Context(), good, s); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for name := range good.numbers() {
		for bit := range 256 {
			p := good
			at := p.numbers()[name]
			n, err := semaphore.ParseNumber(*at)
			if err != nil {
				t.Fatal(err)
			}
			n[bit/8] ^= 1 << (bit % 8)
			*at = semaphore.FormatNumber(n)
			for _, want := range []Statement{s, anyRoot(t, good)} {
				tried++
				if _, err := v.Verify(t.Context(), p, want); err == nil {
					t.Errorf("%s: bit %d may differ", name, bit)
				}
			}
		}
	}
	if tried != 12*256*2 {
		t.Errorf("%d tried", tried)
	}
	for _, at := range [][]int{{1}, {4, 5}, {7}} { // -A, -B, -C
		p := good
		for _, i := range at {
			var y fp.Element
			y.SetString(p.Points[i])
			y.Neg(&y)
			p.Points[i] = y.String()
		}
		refuses(t, v, p, s, ErrProof)
	}
}

// A statement that differs from the proof's, with the proof's own numbers
// changed along: only the pairing can tell.
func TestAProofShowsNoOtherStatement(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	for name := range good.numbers() {
		if name == "root" || name == "nullifier" || name == "message" || name == "scope" {
			p := good
			*p.numbers()[name] = "5"
			refuses(t, v, p, anyRoot(t, p), ErrProof)
		}
	}
	p := good
	p.Message, p.Scope = p.Scope, p.Message
	refuses(t, v, p, anyRoot(t, p), ErrProof)
}

func TestWhatTheServiceDidNotAskForIsRefusedFirst(t *testing.T) {
	good := goodProof(t)
	v := verifier(t)
	s := anyRoot(t, good)
	s.Message[31]++
	refuses(t, v, good, s, ErrMessage)
	s = anyRoot(t, good)
	s.Scope[0]++
	refuses(t, v, good, s, ErrScope)
	s = anyRoot(t, good)
	s.Root = func(fr.Element) bool { return false }
	refuses(t, v, good, s, ErrRoot)
}

// Groth16 proofs can be re-randomised: another proof of the same statement is
// accepted, so it is the challenge that must be used up.
func TestAProofAnewIsTheSameStatement(t *testing.T) {
	good := goodProof(t)
	a, c, b, err := good.points()
	if err != nil {
		t.Fatal(err)
	}
	two, half := big.NewInt(2), new(big.Int).ModInverse(big.NewInt(2), fr.Modulus())
	a.ScalarMultiplication(&a, two)
	b.ScalarMultiplication(&b, half)
	p := good
	for i, e := range []fp.Element{a.X, a.Y, b.X.A1, b.X.A0, b.Y.A1, b.Y.A0, c.X, c.Y} {
		p.Points[i] = e.String()
	}
	if p.Points == good.Points {
		t.Fatal("nothing changed")
	}
	n, err := verifier(t).Verify(t.Context(), p, statementOf(t, p))
	if err != nil || FormatScalar(n) != good.Nullifier {
		t.Errorf("%v", err)
	}
}

func TestTheVerificationKeyIsTheCeremonysWhole(t *testing.T) {
	if _, err := newKey(keyJSON); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another curve point": {"16428432848801857252194528405604668803277877773566238944394625302971855135431", "1"},
		"a signal less": {`,
    [
      "6911445528419498463052038634805869251674914450256132175616115327153208000298",
      "10690522731893204079241577206843870488432634507962253873960389671509400535432",
      "1"
    ]`, ""},
		"not affine": {`"1"
  ]`, `"2"
  ]`},
		"off the twist": {"10155645986889866254983794183798376982702094196823662035160585060891538132313", "5"},
		"cut":           {"}", ""},
	} {
		b := strings.Replace(string(keyJSON), change[0], change[1], 1)
		if b == string(keyJSON) {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := newKey([]byte(b)); !errors.Is(err, errKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
