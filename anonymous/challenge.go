package anonymous

import (
	"errors"
	"time"

	"github.com/mentalverse/session/anonymous/semaphore"
)

// ClockSlack is how far an epoch may be from a client's own clock.
const ClockSlack = 24 * time.Hour

// Why a client answers no such challenge.
var (
	ErrChallengeScope   = errors.New("anonymous: the service asks for a scope that is not its epoch's")
	ErrChallengeMessage = errors.New("anonymous: the service asks for a message that is not its nonce's")
	ErrChallengeEpoch   = errors.New("anonymous: the service asks for an epoch that is not now")
)

// Challenge is what a service asks a prover, with numbers in decimal.
type Challenge struct {
	Nonce   string
	Epoch   uint64 // 0 for enrolment, which has none
	Message string
	Scope   string
}

// NewChallenge returns what the service asks for a nonce in an epoch.
func (s ServiceID) NewChallenge(nonce string, epoch uint64) Challenge {
	return Challenge{nonce, epoch, semaphore.FormatNumber(s.Message(nonce)), semaphore.FormatNumber(s.Scope(epoch))}
}

// NewEnrolment returns what the service asks of one who enrols.
func (s ServiceID) NewEnrolment(nonce string) Challenge {
	return Challenge{Nonce: nonce, Message: semaphore.FormatNumber(s.Message(nonce)), Scope: semaphore.FormatNumber(s.EnrolScope(nonce))}
}

// CheckChallenge is the client's duty before it proves: it computes the values
// itself and compares. A server that could choose a scope would see the same
// nullifier wherever it chose the same one, and so know its members again
// across epochs and services. The service's id and epochs are the client's own
// configuration, never the server's word; now is the client's clock.
func CheckChallenge(s ServiceID, e Epochs, c Challenge, now time.Time) error {
	if err := c.checkMessage(s); err != nil {
		return err
	}
	if !e.near(c.Epoch, now, ClockSlack) {
		return ErrChallengeEpoch
	}
	if c.Scope != semaphore.FormatNumber(s.Scope(c.Epoch)) {
		return ErrChallengeScope
	}
	return nil
}

// CheckEnrolment is [CheckChallenge] for one who enrols.
func CheckEnrolment(s ServiceID, c Challenge) error {
	if err := c.checkMessage(s); err != nil {
		return err
	}
	if c.Scope != semaphore.FormatNumber(s.EnrolScope(c.Nonce)) {
		return ErrChallengeScope
	}
	return nil
}

func (c Challenge) checkMessage(s ServiceID) error {
	if err := errors.Join(checkName(string(s)), checkName(c.Nonce)); err != nil {
		return err
	}
	if c.Message != semaphore.FormatNumber(s.Message(c.Nonce)) {
		return ErrChallengeMessage
	}
	return nil
}
