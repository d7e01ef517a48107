package artifacts

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// What there is. Files are stored compressed, under the name with ".gz".
const (
	Circuit = "semaphore-20.wasm" // computes the witness
	Key     = "semaphore-20.zkey" // the ceremony's proving key
	Prover  = "prover.wasm"       // our prover for browsers
)

// maxSize bounds what one file may unpack to.
const maxSize = 16 << 20

// Why an artifact is refused.
var (
	ErrNone    = errors.New("artifacts: this program was built without them (tag noartifacts): configure their directory")
	ErrUnknown = errors.New("artifacts: no such artifact")
	ErrSize    = errors.New("artifacts: too large")
	ErrDigest  = errors.New("artifacts: the content is not what is pinned")
)

// Store is where artifacts are read from.
type Store struct{ files fs.FS }

// Open returns the artifacts in a directory, or those that are built in if dir
// is empty. A directory holds them as this package's own does.
func Open(dir string) (*Store, error) {
	if dir != "" {
		return &Store{os.DirFS(dir)}, nil
	}
	if embedded == nil {
		return nil, ErrNone
	}
	return &Store{embedded}, nil
}

// Digest returns the SHA-256 digest, in hex, that an artifact's content has.
func Digest(name string) (string, error) {
	if d, ok := digests[name]; ok {
		return d, nil
	}
	return "", fmt.Errorf("%w: %q", ErrUnknown, name)
}

// Read returns an artifact's content.
func (s *Store) Read(name string) ([]byte, error) {
	content, _, err := s.open(name)
	return content, err
}

// Compressed returns an artifact as gzip, to be served as it is. It was
// unpacked and checked.
func (s *Store) Compressed(name string) ([]byte, error) {
	_, packed, err := s.open(name)
	return packed, err
}

func (s *Store) open(name string) (content, packed []byte, err error) {
	want, err := Digest(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.files.Open(name + ".gz")
	if err != nil {
		return nil, nil, fmt.Errorf("artifacts: %w", err)
	}
	defer f.Close()
	if packed, err = bounded(f); err != nil {
		return nil, nil, fmt.Errorf("artifacts: %s: %w", name, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, fmt.Errorf("artifacts: %s: %w", name, err)
	}
	if content, err = bounded(z); err != nil {
		return nil, nil, fmt.Errorf("artifacts: %s: %w", name, err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
		return nil, nil, fmt.Errorf("%w: %s", ErrDigest, name)
	}
	return content, packed, nil
}

func bounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(b) > maxSize {
		err = ErrSize
	}
	return b, err
}
