package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/privatefile"
)

// state is what is kept of the service between calls.
type state struct {
	pins Pins
	head *anonymous.SignedSnapshot // nil as long as the group is empty
}

// stateFile is a state's JSON.
type stateFile struct {
	ServiceID   string                    `json:"service_id"`
	EpochLength int64                     `json:"epoch_length"`
	Key         string                    `json:"key"`
	Head        *anonymous.SignedSnapshot `json:"head,omitempty"`
}

func (d *Device) stateFile() string   { return d.File + ".group" }
func (d *Device) pagesFolder() string { return d.File + ".pages" }

// load returns nil before the first contact. A damaged state is an error: to
// go on without it would be to trust anew.
func (d *Device) load() (*state, error) {
	b, err := os.ReadFile(d.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f stateFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", d.stateFile(), err)
	}
	pins, err := pinsOf(f.ServiceID, f.EpochLength, f.Key)
	if err == nil && f.Head != nil {
		err = f.Head.Verify(pins.Service, pins.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", d.stateFile(), err)
	}
	return &state{pins, f.Head}, nil
}

func (d *Device) save(s state) error {
	b, err := json.Marshal(stateFile{string(s.pins.Service), int64(s.pins.EpochLength / time.Second), FormatKey(s.pins.Key), s.head})
	if err != nil {
		return err
	}
	return privatefile.Replace(d.stateFile(), b)
}

// Forget drops all that is known of the service, but not the secret. The next
// contact is a first one: what the service then shows is taken on trust.
func (d *Device) Forget() error {
	err := os.Remove(d.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(d.pagesFolder()))
}
