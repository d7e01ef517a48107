package device

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/mentalverse/session/anonymous"
)

// Pins are what a service may never change for a device: whoever chose them
// anew could choose scopes, and so know members again. What is empty is taken
// on trust at the first contact.
type Pins struct {
	Service     anonymous.ServiceID
	EpochLength time.Duration
	Key         ed25519.PublicKey
}

// maxEpoch keeps an epoch's length, in seconds, far from where a duration
// overflows: 100 years.
const maxEpoch = 100 * 365 * 24 * 60 * 60

// pinsOf reads what a service says of itself.
func pinsOf(service string, seconds int64, key string) (p Pins, err error) {
	if p.Service, err = anonymous.NewServiceID(service); err != nil {
		return Pins{}, err
	}
	if seconds < 0 || seconds > maxEpoch {
		return Pins{}, anonymous.ErrEpochs
	}
	p.EpochLength = time.Duration(seconds) * time.Second
	if _, err := anonymous.NewEpochs(p.EpochLength); err != nil {
		return Pins{}, err
	}
	p.Key, err = ParseKey(key)
	return p, err
}

// ParseKey reads a group's public key: unpadded base64url.
func ParseKey(s string) (ed25519.PublicKey, error) {
	key, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errors.New("device: not a group's key")
	}
	return key, nil
}

// FormatKey is the inverse of [ParseKey].
func FormatKey(key ed25519.PublicKey) string { return base64.RawURLEncoding.EncodeToString(key) }

// holds compares what was known with what the service says now.
func (p Pins) holds(now Pins) error {
	for _, pin := range []struct {
		noun     string
		set      bool
		was, is  any
		departed bool
	}{
		{"service id", p.Service != "", p.Service, now.Service, p.Service != now.Service},
		{"length of an epoch", p.EpochLength != 0, p.EpochLength, now.EpochLength, p.EpochLength != now.EpochLength},
		{"group's key", p.Key != nil, FormatKey(p.Key), FormatKey(now.Key), !p.Key.Equal(now.Key)},
	} {
		if pin.set && pin.departed {
			return fmt.Errorf("%w: its %s was %v and is %v", ErrPins, pin.noun, pin.was, pin.is)
		}
	}
	return nil
}

func (p Pins) epochs() anonymous.Epochs {
	e, err := anonymous.NewEpochs(p.EpochLength)
	if err != nil {
		panic(err) // pinsOf made them once
	}
	return e
}

// checkPins reads what the service says of itself now, and holds it against what
// was known before and what the person knows.
func (d *Device) checkPins(known *Pins, service string, seconds int64, key string) (Pins, error) {
	now, err := pinsOf(service, seconds, key)
	if err != nil {
		return Pins{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if known != nil {
		err = known.holds(now)
	}
	return now, errors.Join(err, d.Pins.holds(now))
}
