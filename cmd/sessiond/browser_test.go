package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/mentalverse/session/test/node"
)

// Cookie mode in a real browser, against the real program.
func TestChromium(t *testing.T) {
	chromium := needChromium(t)
	for _, name := range []string{"localhost", "sessions.localhost"} {
		t.Run(name, func(t *testing.T) {
			listen, origin := freeOrigin(t, "http", name)
			browse(t, t.TempDir(), []string{"--listen", listen, "--public-url", origin}, "browser.mjs", chromium, origin)
		})
	}
}

// The page's wallets, each in a browser of its own. Only a development server
// offers a key that the browser keeps.
func TestWalletsInChromium(t *testing.T) {
	chromium := needChromium(t)
	t.Run("dev", func(t *testing.T) {
		listen, origin := freeOrigin(t, "http", "localhost")
		browse(t, t.TempDir(), []string{"--listen", listen, "--public-url", origin}, "wallets.mjs", chromium, origin, "dev")
	})
	t.Run("over TLS", func(t *testing.T) {
		dir := t.TempDir()
		listen, origin := freeOrigin(t, "https", "sessions.localhost")
		chain, key := writeCertificate(t, dir)
		limits := filepath.Join(dir, "limits.yaml") // one person here makes a crowd's requests
		if err := os.WriteFile(limits, []byte("limits:\n  address_per_minute: 10000\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		browse(t, dir, []string{"--dev=false", "--config", limits, "--listen", listen, "--public-url", origin, "--tls-cert", chain, "--tls-key", key},
			"wallets.mjs", chromium, origin)
	})
}

// Private sign-in, with what the server hands out and under the page's own
// policy.
func TestPrivateSignInInChromium(t *testing.T) {
	chromium := needChromium(t)
	listen, origin := freeOrigin(t, "http", "localhost")
	browse(t, t.TempDir(), []string{"--listen", listen, "--public-url", origin}, "private.mjs", chromium, origin)
}

// needChromium returns the browser's path, where all that drives it is there.
func needChromium(t *testing.T) string {
	t.Helper()
	skipOrFail := t.Skip
	if os.Getenv("CI") == "true" {
		skipOrFail = t.Fatal
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		skipOrFail("NOT RUN: chromium is missing; make test installs it where it may")
	}
	node.Project(t, "browser")
	return chromium
}

// browse serves with the flags and runs one of test/browser's programs.
func browse(t *testing.T, dir string, flags []string, program ...string) {
	t.Helper()
	p, err := start(dir, flags...)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill(t)
	cmd := exec.CommandContext(t.Context(), "node", program...)
	cmd.Dir = filepath.Join("..", "..", "test", "browser")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// freeOrigin returns an address that was free a moment ago, and the origin it
// gets: a page must know its origin before its server starts. Its port is below
// those that systems give to whoever asks for any, so that nobody gets it
// meanwhile.
func freeOrigin(t *testing.T, scheme, host string) (listen, origin string) {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20_000 + mathrand.IntN(12_000))
		listen = net.JoinHostPort("127.0.0.1", port)
		l, err := net.Listen("tcp", listen)
		if err != nil {
			continue
		}
		l.Close()
		return listen, scheme + "://" + net.JoinHostPort(host, port)
	}
	t.Fatal("no port is free")
	return "", ""
}

// writeCertificate makes a certificate that signs itself.
func writeCertificate(t *testing.T, dir string) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{"sessions.localhost"}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	chain, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{chain: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return chain, key
}
