package artifacts

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var all = []string{Circuit, Key, Prover}

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open("")
	if errors.Is(err, ErrNone) && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: built without artifacts")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsBuiltInIsWhatIsPinned(t *testing.T) {
	s := open(t)
	for _, name := range all {
		content, err := s.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := s.Compressed(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d compressed", name, len(content), len(packed))
		magic := "\x00asm"
		if name == Key {
			magic = "zkey"
		}
		if !bytes.HasPrefix(content, []byte(magic)) || !bytes.HasPrefix(packed, []byte("\x1f\x8b")) {
			t.Errorf("%s begins with %q", name, content[:4])
		}
	}
	public, err := os.ReadFile("../semaphore-20.json")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(public); hex.EncodeToString(sum[:]) != digests["semaphore-20.json"] {
		t.Error("the verifying key is not what is pinned")
	}
}

func TestAnotherFileIsRefused(t *testing.T) {
	good, err := os.ReadFile(Key + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	content, err := open(t).Read(Key)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(content)
	flipped[len(flipped)/2] ^= 1
	for name, file := range map[string]struct {
		packed []byte
		good   bool
		want   error
	}{
		"the pinned one": {packed: good, good: true},
		"packed anew":    {packed: pack(t, content), good: true},
		"one bit":        {packed: pack(t, flipped), want: ErrDigest},
		"cut off":        {packed: good[:len(good)-100], want: io.ErrUnexpectedEOF},
		"not packed":     {packed: content, want: gzip.ErrHeader},
		"empty":          {want: io.EOF},
		"too large":      {packed: pack(t, make([]byte, maxSize+1)), want: ErrSize},
		"more behind":    {packed: append(bytes.Clone(good), pack(t, []byte("more"))...), want: ErrDigest},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, Key+".gz"), file.packed, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Read(Key)
			if file.good {
				if err != nil || !bytes.Equal(got, content) {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, file.want) {
				t.Errorf("got %v, want %v", err, file.want)
			}
			if _, err := s.Compressed(Key); err == nil {
				t.Error("would be served")
			}
		})
	}
}

func pack(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNoOtherFileIsReached(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "../artifacts.go", "semaphore-20.json.gz", "/etc/passwd"} {
		if _, err := s.Read(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := s.Read(Key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}
