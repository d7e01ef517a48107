package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeCertificate puts a fresh self-signed pair for localhost into the folder.
func writeCertificate(t *testing.T, dir string) (chain, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	chain, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{chain: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return chain, key, pool
}

// runTLS runs a server with the certificate and returns where it listens.
func runTLS(t *testing.T, chain, key string) string {
	t.Helper()
	c := DefaultConfig()
	c.Listen, c.OperatorListen, c.Data, c.TLSCert, c.TLSKey = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), chain, key
	c.Limits.AddressPerMinute, c.Anonymous.Artifacts = maxRate, Unpacked
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, done := make(chan Addresses, 1), make(chan error, 1)
	go func() { done <- Run(ctx, c, io.Discard, func(a Addresses) { ready <- a }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return at.Public
	case err := <-done:
		done <- err
		t.Fatal(err)
		return ""
	}
}

func TestTLS(t *testing.T) {
	chain, key, pool := writeCertificate(t, t.TempDir())
	at := runTLS(t, chain, key)

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	res, err := client.Get("https://" + at + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.Proto != "HTTP/2.0" || res.TLS.Version != tls.VersionTLS13 {
		t.Errorf("%d over %s, TLS %x", res.StatusCode, res.Proto, res.TLS.Version)
	}
	if conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was spoken")
	}
	// Plain HTTP on this port is no redirect and no session.
	if res, err := http.Get("http://" + at + "/api/auth/sessions/validate"); err == nil {
		res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("plain HTTP was answered %d", res.StatusCode)
		}
	}
}

func TestARenewedCertificateIsTakenUp(t *testing.T) {
	dir := t.TempDir()
	chain, key, _ := writeCertificate(t, dir)
	c := &certificate{chain: chain, key: key, log: slog.New(slog.DiscardHandler)}
	if err := c.read(time.Now()); err != nil {
		t.Fatal(err)
	}
	serves := func() string {
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(pair.Certificate[0])
	}
	old := serves()
	later := time.Now().Add(time.Minute)
	if err := os.WriteFile(chain, []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(chain, later, later)
	c.looked = time.Time{}
	if serves() != old {
		t.Error("a broken pair took the place of a good one")
	}
	writeCertificate(t, dir)
	os.Chtimes(chain, later, later.Add(time.Minute))
	if serves() != old {
		t.Error("the files are read at every handshake")
	}
	c.looked = time.Time{}
	if serves() == old {
		t.Error("the renewed pair is not served")
	}
}
