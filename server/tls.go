package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// certificateEvery is how often the files of the certificate are looked at.
const certificateEvery = time.Minute

// secure wraps the listener in TLS if a certificate is configured.
func (c *Config) secure(l net.Listener, log *slog.Logger) (net.Listener, error) {
	if c.TLSCert == "" {
		return l, nil
	}
	cert := &certificate{chain: c.TLSCert, key: c.TLSKey, log: log}
	if err := cert.read(time.Now()); err != nil {
		return nil, fmt.Errorf("tls_cert and tls_key: %w", err)
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: cert.get,
	}), nil
}

// certificate is the pair in two files, read again when they change.
type certificate struct {
	chain, key string
	log        *slog.Logger

	mu      sync.Mutex
	pair    tls.Certificate
	changed time.Time // of the newer file
	looked  time.Time
}

func (c *certificate) read(now time.Time) error {
	c.looked = now
	var changed time.Time
	for _, name := range []string{c.chain, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if info.ModTime().After(changed) {
			changed = info.ModTime()
		}
	}
	if changed.Equal(c.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.chain, c.key)
	if err == nil {
		c.pair, c.changed = pair, changed
	}
	return err
}

// get returns the pair for a handshake. A pair that cannot be read, such as one
// of which only half has been renewed, leaves the old one in force.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certificateEvery {
		if err := c.read(now); err != nil {
			c.log.Error("the renewed certificate cannot be read; the old one stays", "error", err)
		}
	}
	pair := c.pair
	return &pair, nil
}
