package anonymous

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous/semaphore"
)

var testNonce = strings.Repeat("n", 64)

// The numbers were computed elsewhere, from the encoding as it is written down.
func TestTheValuesAreAsWritten(t *testing.T) {
	c := testService.NewChallenge(testNonce, 685)
	e := testService.NewEnrolment(testNonce)
	for name, v := range map[string][2]string{
		"scope":         {c.Scope, "24321936405097682621529486434948913225316327490701348908707100578562803807270"},
		"message":       {c.Message, "88344931554668517990435848838511398475337414082177309311769232122419722583564"},
		"enrol scope":   {e.Scope, "78543177343799398710876026748663473206087283626906140378916315847396822774676"},
		"enrol message": {e.Message, c.Message},
	} {
		if v[0] != v[1] {
			t.Errorf("%s: %s", name, v[0])
		}
	}
}

// What stands where cannot be moved between the parts of a value.
func TestNoTwoValuesAreTheSame(t *testing.T) {
	seen := map[[32]byte]string{}
	for _, s := range []ServiceID{"a", "ab", "abc", "abcd", "1", "12"} {
		for _, n := range []string{"a", "b", "ab", "bc", "cd", "1", "12", "bcd", "abcd"} {
			for name, v := range map[string][32]byte{"message": s.Message(n), "enrol": s.EnrolScope(n)} {
				name = fmt.Sprintf("%s of %s and %s", name, s, n)
				if other, ok := seen[v]; ok {
					t.Errorf("%s is %s", name, other)
				}
				seen[v] = name
			}
		}
		for _, epoch := range []uint64{0, 1, 12, 2, 256, 'a', 'a' << 56, math.MaxUint64} {
			v, name := s.Scope(epoch), fmt.Sprintf("scope of %s and %d", s, epoch)
			if other, ok := seen[v]; ok {
				t.Errorf("%s is %s", name, other)
			}
			seen[v] = name
		}
	}
}

func TestAClientRefusesValuesThatAreNotItsOwn(t *testing.T) {
	good := testService.NewChallenge(testNonce, 685)
	now := start.Add(time.Hour)
	if err := CheckChallenge(testService, Epochs{}, good, now); err != nil {
		t.Fatal(err)
	}
	week, err := NewEpochs(7 * 24 * time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	enrol := testService.NewEnrolment(testNonce)
	if err := CheckEnrolment(testService, enrol); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		change func(*Challenge)
		want   error
	}{
		"a scope of its choice":     {func(c *Challenge) { c.Scope = "7" }, ErrChallengeScope},
		"another epoch's scope":     {func(c *Challenge) { c.Scope = semaphore.FormatNumber(testService.Scope(684)) }, ErrChallengeScope},
		"another service's scope":   {func(c *Challenge) { c.Scope = semaphore.FormatNumber(ServiceID("x").Scope(685)) }, ErrChallengeScope},
		"the scope spelled longer":  {func(c *Challenge) { c.Scope = "0" + c.Scope }, ErrChallengeScope},
		"an enrolment's scope":      {func(c *Challenge) { c.Scope = enrol.Scope }, ErrChallengeScope},
		"a message of its choice":   {func(c *Challenge) { c.Message = "7" }, ErrChallengeMessage},
		"another nonce's message":   {func(c *Challenge) { c.Message = semaphore.FormatNumber(testService.Message("other")) }, ErrChallengeMessage},
		"another service's message": {func(c *Challenge) { c.Message = semaphore.FormatNumber(ServiceID("x").Message(testNonce)) }, ErrChallengeMessage},
		"an old epoch":              {func(c *Challenge) { *c = testService.NewChallenge(testNonce, 683) }, ErrChallengeEpoch},
		"an epoch to come":          {func(c *Challenge) { *c = testService.NewChallenge(testNonce, 687) }, ErrChallengeEpoch},
		"an absurd epoch":           {func(c *Challenge) { *c = testService.NewChallenge(testNonce, math.MaxUint64) }, ErrChallengeEpoch},
		"an epoch that overflows":   {func(c *Challenge) { *c = testService.NewChallenge(testNonce, 685+1<<62) }, ErrChallengeEpoch},
		"no nonce":                  {func(c *Challenge) { *c = testService.NewChallenge("", 685) }, ErrName},
		"a nonce with a space":      {func(c *Challenge) { *c = testService.NewChallenge("a b", 685) }, ErrName},
		"a very long nonce":         {func(c *Challenge) { *c = testService.NewChallenge(strings.Repeat("n", 65536), 685) }, ErrName},
	} {
		c := good
		try.change(&c)
		if err := CheckChallenge(testService, Epochs{}, c, now); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
	if err := CheckChallenge(testService, week, good, now); !errors.Is(err, ErrChallengeEpoch) {
		t.Errorf("epochs of another length: %v", err)
	}
	if err := CheckChallenge("", Epochs{}, ServiceID("").NewChallenge(testNonce, 685), now); !errors.Is(err, ErrName) {
		t.Errorf("no service: %v", err)
	}
	signIn := good
	signIn.Nonce, signIn.Message = enrol.Nonce, enrol.Message
	if err := CheckEnrolment(testService, signIn); !errors.Is(err, ErrChallengeScope) {
		t.Errorf("enrolment with an epoch's scope: %v", err)
	}
	enrol.Message = "7"
	if err := CheckEnrolment(testService, enrol); !errors.Is(err, ErrChallengeMessage) {
		t.Errorf("enrolment with a message of its choice: %v", err)
	}
}

func TestAnEpochIsAtMostADayFromTheClientsClock(t *testing.T) {
	c := testService.NewChallenge(testNonce, 685)
	for at, want := range map[time.Time]error{
		start.Add(-ClockSlack - time.Second):                        ErrChallengeEpoch,
		start.Add(-ClockSlack):                                      nil,
		start:                                                       nil,
		Epochs{}.EpochEnd(685):                                      nil,
		Epochs{}.EpochEnd(685).Add(ClockSlack - 1):                  nil,
		Epochs{}.EpochEnd(685).Add(ClockSlack):                      ErrChallengeEpoch,
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC):                 ErrChallengeEpoch,
		time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC):                 ErrChallengeEpoch,
		start.In(time.FixedZone("", 14*3600)).Add(-ClockSlack / 24): nil,
	} {
		if err := CheckChallenge(testService, Epochs{}, c, at); !errors.Is(err, want) {
			t.Errorf("at %v: %v, want %v", at, err, want)
		}
	}
}

func TestEpochsCountFrom1970(t *testing.T) {
	for _, length := range []time.Duration{0, DefaultEpoch, 24 * time.Hour, 7*24*time.Hour + time.Second} {
		e := Epochs{}
		if length != 0 {
			var err error
			if e, err = NewEpochs(length); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []uint64{0, 1, 2, 685} {
			s, end := e.Start(n), e.EpochEnd(n)
			if e.Epoch(s) != n || e.Epoch(end.Add(-1)) != n || e.Epoch(end) != n+1 || n == 0 && s.Unix() != 0 {
				t.Errorf("%v: epoch %d is elsewhere", length, n)
			}
		}
		if e.Epoch(time.Unix(-1, 0)) != 0 {
			t.Error("an epoch before 1970")
		}
	}
	if got := (Epochs{}).EpochEnd(0); !got.Equal(time.Date(1970, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the first epoch ends at %v", got)
	}
	for _, length := range []time.Duration{0, -DefaultEpoch, 24*time.Hour - 1, 48*time.Hour + 1, time.Hour} {
		if _, err := NewEpochs(length); !errors.Is(err, ErrEpochs) {
			t.Errorf("%v is taken", length)
		}
	}
}

func TestAServiceHasAPlainName(t *testing.T) {
	for s, want := range map[string]error{
		"app.example.com": nil, "~": nil, strings.Repeat("a", 255): nil,
		"": ErrName, " ": ErrName, "a b": ErrName, "a\n": ErrName, "ä": ErrName, "\x7f": ErrName, strings.Repeat("a", 256): ErrName,
	} {
		if _, err := NewServiceID(s); !errors.Is(err, want) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestAPseudonymHangsOnKeyServiceEpochAndNullifier(t *testing.T) {
	var k, other PseudonymKey
	for i := range k {
		k[i] = byte(i)
	}
	var five, six fr.Element
	five.SetUint64(5)
	six.SetUint64(6)
	want := "anon_qxeu4z7g4ux3k2frmt4dbu4qdx3we23n"
	if got := k.Pseudonym(testService, 685, five); got != want {
		t.Errorf("pseudonym %s", got)
	}
	for name, got := range map[string]string{
		"key": other.Pseudonym(testService, 685, five), "service": k.Pseudonym("x", 685, five),
		"epoch": k.Pseudonym(testService, 686, five), "nullifier": k.Pseudonym(testService, 685, six),
	} {
		if got == want || len(got) != len(want) || !strings.HasPrefix(got, "anon_") {
			t.Errorf("another %s: %s", name, got)
		}
	}
	if s := fmt.Sprintf("%v %s %+v %#v", k, k, k, k); strings.Contains(s, "1") {
		t.Errorf("the key is printed: %s", s)
	}
}
