package device

import (
	"errors"
	"net/http"
	"time"
)

// Device is one device's membership of one service. Not for concurrent use.
type Device struct {
	Server    string           // the service's origin
	File      string           // of the secret; FILE.group and FILE.pages stand beside it
	Pins      Pins             // what is known of the service beforehand
	Artifacts string           // the folder of the prover's files; empty for those built in
	Now       func() time.Time // the device's clock
	Progress  func(s Stage, done, of int)

	// An open connection would tie what an anonymous call says to who made the
	// call before it.
	known, unnamed *http.Client
}

// New returns the device of a secret's file.
func New(server, file string) *Device {
	return &Device{
		Server: server, File: file, Now: time.Now, Progress: func(Stage, int, int) {},
		known: newClient(), unnamed: newClient(),
	}
}

// Stage is a part of what takes long.
type Stage string

// The stages of a sign-in, in their order. Only pages are counted.
const (
	Following   Stage = "following the group"
	Downloading Stage = "downloading pages"
	Proving     Stage = "proving"
	SigningIn   Stage = "signing in"
	Enrolling   Stage = "enrolling"
)

// Why a device does not go on. The chain's and the challenge's errors are those
// of package anonymous.
var (
	ErrIdentity  = errors.New("device: not an anonymous identity")
	ErrNone      = errors.New("device: no anonymous identity; enrol first")
	ErrPins      = errors.New("device: the service is not the one that was known here before")
	ErrHead      = errors.New("device: the group is not the head of the published chain")
	ErrNotMember = errors.New("device: your commitment is not in the group: an enrolment waits to enter it; this hides when you came")
	ErrTurn      = errors.New("device: the challenge and the group are of different epochs; try again")
	ErrAnswer    = errors.New("device: the answer is not the API's")
)
