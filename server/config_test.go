package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheDefaultIsSound(t *testing.T) {
	c := DefaultConfig()
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestMasterKeys(t *testing.T) {
	c := DefaultConfig()
	c.Data = t.TempDir()
	first, err := c.masterKey()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.masterKey(); err != nil || again != first {
		t.Errorf("the key changed: %v", err)
	}
	path := filepath.Join(c.Data, "master.key")
	os.Chmod(path, 0o640)
	if _, err := c.masterKey(); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a key that others may read: %v", err)
	}
	os.Remove(path)
	os.WriteFile(c.database(), nil, 0o600)
	if _, err := c.masterKey(); err == nil {
		t.Error("a new key was made beside an old database")
	}
	for _, bad := range []string{"x", strings.Repeat("0", 64), strings.Repeat("ab", 32), strings.Repeat("0123456789abcdef", 4) + "00"} {
		c.MasterKey = bad
		if _, err := c.masterKey(); err == nil || strings.Contains(err.Error(), bad) && len(bad) > 1 {
			t.Errorf("key %q: %v", bad, err)
		}
	}
	c.MasterKey = strings.Repeat("0123456789abcdef", 4)
	if _, err := c.masterKey(); err != nil {
		t.Error(err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(DefaultYAML)
	f.Add([]byte("policies: {standard: {permissions: [a, b]}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := DefaultConfig()
		if c.Read(bytes.NewReader(b)) == nil {
			c.Check()
		}
	})
}
