package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"

	"github.com/mentalverse/session/anonymous/artifacts"
)

// Unpacked is a folder of the prover's files that are gzip in form only. A server
// unpacks and checks them when it starts, which takes a second under the race
// detector; of these, a quarter. Empty in a program without artifacts.
var Unpacked string

// UnpackArtifacts makes the folder.
func UnpackArtifacts() error {
	files, err := artifacts.Open("")
	if errors.Is(err, artifacts.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if Unpacked, err = os.MkdirTemp("", "artifacts"); err != nil {
		return err
	}
	for _, name := range []string{artifacts.Circuit, artifacts.Key, artifacts.Prover} {
		content, err := files.Read(name)
		if err != nil {
			return err
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(content); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(Unpacked, name+".gz"), packed.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}
