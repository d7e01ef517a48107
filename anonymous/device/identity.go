package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/mentalverse/session/anonymous/prover"
)

// header begins a secret's file, so that no other number is taken for one.
const header = "semaphore:v4 "

// maxFile bounds what is read of a secret's file.
const maxFile = 1 << 10

// identity reads the secret, or answers ErrNone.
func (d *Device) identity() (*prover.Identity, error) {
	info, err := os.Stat(d.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w (%s is not there)", ErrNone, d.File)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return nil, fmt.Errorf("%s: %w", d.File, ErrIdentity)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: others can read the secret (mode %04o): make it 0600", d.File, info.Mode().Perm())
	}
	b, err := os.ReadFile(d.File)
	if err != nil {
		return nil, err
	}
	secret, ok := strings.CutPrefix(string(b), header)
	who, err := prover.ParseIdentity(strings.TrimSuffix(secret, "\n"))
	if !ok || err != nil {
		return nil, fmt.Errorf("%s: %w", d.File, ErrIdentity)
	}
	return who, nil
}

// identityOrNew reads the secret or makes one: at random, and nowhere but in its
// file, which is never written over.
func (d *Device) identityOrNew() (*prover.Identity, error) {
	who, err := d.identity()
	if !errors.Is(err, ErrNone) {
		return who, err
	}
	if who, err = prover.NewIdentity(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(header + who.Secret() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(d.File))
	}
	return who, nil
}

// Commitment returns what groups hold of this device, or ErrNone.
func (d *Device) Commitment() (string, error) {
	who, err := d.identity()
	if err != nil {
		return "", err
	}
	return who.Commitment(), nil
}
