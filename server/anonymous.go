package server

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/httpapi"
)

// AnonymousSettings are how anonymous sessions are served. What is nil differs
// in development.
type AnonymousSettings struct {
	Enabled    bool           `yaml:"enabled"`
	ServiceID  string         `yaml:"service_id"`
	Epoch      time.Duration  `yaml:"epoch"`
	MinBatch   *int           `yaml:"min_batch"`
	MaxWait    *time.Duration `yaml:"max_wait"`
	MinMembers *int           `yaml:"min_members"`
	Artifacts  string         `yaml:"artifacts"`
}

// maxWaitBound keeps an enrolment from being forgotten.
const maxWaitBound = 30 * 24 * time.Hour

func (c *Config) checkAnonymous() error {
	a := &c.Anonymous
	if !a.Enabled {
		if c.AnonymousOrigin != "" {
			return errors.New("anonymous_origin: anonymous sessions are not enabled")
		}
		return nil
	}
	if _, err := anonymous.NewServiceID(c.serviceID()); err != nil {
		return fmt.Errorf("anonymous.service_id: %w", err)
	}
	if _, err := anonymous.NewEpochs(a.Epoch); err != nil {
		return fmt.Errorf("anonymous.epoch: %w", err)
	}
	r := c.rules()
	switch {
	case r.MinBatch < 1 || r.MinBatch > anonymous.MaxMembers:
		return fmt.Errorf("anonymous.min_batch: %d is not between 1 and %d", r.MinBatch, anonymous.MaxMembers)
	case r.MinMembers < 1 || r.MinMembers > anonymous.MaxMembers:
		return fmt.Errorf("anonymous.min_members: %d is not between 1 and %d", r.MinMembers, anonymous.MaxMembers)
	case r.MaxWait < 0 || r.MaxWait > maxWaitBound:
		return fmt.Errorf("anonymous.max_wait: %s is not between 0s and %s", r.MaxWait, maxWaitBound)
	}
	return c.checkAnonymousOrigin()
}

// checkAnonymousOrigin refuses an origin that would share its cookies with the
// service's own: they do not know ports.
func (c *Config) checkAnonymousOrigin() error {
	if c.AnonymousOrigin == "" {
		return nil
	}
	own, err := url.Parse(c.publicURL())
	if err != nil {
		return err
	}
	u, err := url.Parse(strings.TrimRight(c.AnonymousOrigin, "/"))
	switch {
	case err != nil, u.Scheme+"://"+u.Host != strings.TrimRight(c.AnonymousOrigin, "/"), u.Host == "":
		return fmt.Errorf("anonymous_origin: %q is not an origin such as https://quiet.example.org", c.AnonymousOrigin)
	case u.Scheme != "https" && !c.Dev && !isLoopback(u.Hostname()):
		return errors.New("anonymous_origin: must be https")
	case strings.EqualFold(u.Hostname(), own.Hostname()):
		return errors.New("anonymous_origin: needs a host name of its own: cookies do not know ports")
	}
	return nil
}

func (c *Config) serviceID() string {
	if c.Anonymous.ServiceID != "" {
		return c.Anonymous.ServiceID
	}
	u, err := url.Parse(c.publicURL())
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (c *Config) rules() anonymous.Rules {
	r := anonymous.DefaultRules()
	if c.Dev {
		r = anonymous.DevRules()
	}
	a := &c.Anonymous
	if a.MinBatch != nil {
		r.MinBatch = *a.MinBatch
	}
	if a.MaxWait != nil {
		r.MaxWait = *a.MaxWait
	}
	if a.MinMembers != nil {
		r.MinMembers = *a.MinMembers
	}
	return r
}

// host makes the group's host, or nil where anonymous sessions are not served.
// Its keys outlive a restored backup: members must be known again, and clients
// follow the snapshots of one key.
func (c *Config) host(master session.MasterKey, epoch uint32) (*anonymous.Host, error) {
	if !c.Anonymous.Enabled {
		return nil, nil
	}
	keys, err := session.NewKeyring(master, epoch, c.publicURL(), c.Algorithm, c.policies())
	if err != nil {
		return nil, err
	}
	epochs, err := anonymous.NewEpochs(c.Anonymous.Epoch)
	if err != nil {
		return nil, err
	}
	seed := keys.Derive("anonymous snapshots")
	return anonymous.NewHost(anonymous.HostConfig{
		Service: anonymous.ServiceID(c.serviceID()), Epochs: epochs, Rules: c.rules(),
		Pseudonyms: anonymous.PseudonymKey(keys.Derive("anonymous pseudonyms")),
		Key:        ed25519.NewKeyFromSeed(seed[:]), AtOnce: runtime.GOMAXPROCS(0),
	})
}

// artifacts are the prover's files as they are served. A program that was built
// without them and has no folder of them serves none: its clients bring their
// own.
func (c *Config) artifacts() (map[string]httpapi.Artifact, error) {
	if !c.Anonymous.Enabled {
		return nil, nil
	}
	store, err := artifacts.Open(c.Anonymous.Artifacts)
	if errors.Is(err, artifacts.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]httpapi.Artifact{}
	for name, kind := range map[string]string{
		artifacts.Circuit: "application/wasm", artifacts.Key: "application/octet-stream", artifacts.Prover: "application/wasm",
	} {
		packed, err := store.Compressed(name)
		if err != nil {
			return nil, err
		}
		digest, err := artifacts.Digest(name)
		if err != nil {
			return nil, err
		}
		out[digest] = httpapi.Artifact{ContentType: kind, Packed: packed}
	}
	return out, nil
}
