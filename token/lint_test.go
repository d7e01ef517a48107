package token_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The package reaches no network, file or database, and draws its random bits
// from crypto/rand: its imports are this list, and a new one is a decision.
func TestImports(t *testing.T) {
	allowed := strings.Fields(`bytes crypto/ecdsa crypto/ed25519 crypto/elliptic crypto/hmac crypto/rand crypto/sha256
		encoding/base32 encoding/base64 encoding/binary encoding/json errors fmt hash io log/slog math math/big slices strconv strings sync time`)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(path, "math/rand") || strings.Contains(path, "uuid") {
				t.Errorf("%s imports %s", name, path)
			}
			if !strings.HasSuffix(name, "_test.go") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
