// Package privatefile writes files that are their owner's alone.
package privatefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file whole, with mode 0600: who reads it meanwhile, or after a
// crash, finds the old content or the new one.
func Replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
