package server

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// DefaultYAML is the documented default configuration.
//
//go:embed default.yaml
var DefaultYAML []byte

// Config is everything an operator may set. The zero value is not usable:
// start from DefaultConfig.
type Config struct {
	Listen          string            `yaml:"listen"`
	OperatorListen  string            `yaml:"operator_listen"`
	PublicURL       string            `yaml:"public_url"`
	TLSCert         string            `yaml:"tls_cert"`
	TLSKey          string            `yaml:"tls_key"`
	Origins         []string          `yaml:"origins"`
	Hosts           []string          `yaml:"hosts"`
	Data            string            `yaml:"data"`
	Service         string            `yaml:"service"`
	Algorithm       token.Algorithm   `yaml:"algorithm"`
	Profile         string            `yaml:"profile"`
	ICPRootKeys     []string          `yaml:"icp_root_keys"`
	RestoreEpoch    *uint32           `yaml:"restore_epoch"`
	MasterKeyFile   string            `yaml:"master_key_file"`
	LogFormat       string            `yaml:"log_format"`
	LogLevel        string            `yaml:"log_level"`
	DrainTimeout    time.Duration     `yaml:"drain_timeout"`
	Policies        PolicySettings    `yaml:"policies"`
	Limits          LimitSettings     `yaml:"limits"`
	Anonymous       AnonymousSettings `yaml:"anonymous"`
	AnonymousOrigin string            `yaml:"anonymous_origin"`
	Dev             bool              `yaml:"dev"`
	Chaos           bool              `yaml:"chaos"`

	// MasterKey is the key itself, in hex, from the environment; it is never
	// read from a file of settings.
	MasterKey string `yaml:"-"`
	// Now is the clock, for tests.
	Now func() time.Time `yaml:"-"`
	// Verifier takes the place of the wallets, for measurements.
	Verifier session.Verifier `yaml:"-"`
	// Roll is the dice of chaos, for tests.
	Roll func() float64 `yaml:"-"`
}

// PolicySettings changes the limits of the types.
type PolicySettings struct {
	Standard     PolicySetting `yaml:"standard"`
	Anonymous    PolicySetting `yaml:"anonymous"`
	Professional PolicySetting `yaml:"professional"`
}

// PolicySetting changes one type's limits; what is left out stays.
type PolicySetting struct {
	TokenLife    time.Duration `yaml:"token_life"`
	AbsoluteLife time.Duration `yaml:"absolute_life"`
	IdleLife     time.Duration `yaml:"idle_life"`
	Permissions  []string      `yaml:"permissions"`
	MaxLive      int           `yaml:"max_live"`
	Reporting    *bool         `yaml:"reporting"`
}

// DefaultConfig returns the documented default.
func DefaultConfig() Config {
	var c Config
	if err := c.Read(bytes.NewReader(DefaultYAML)); err != nil {
		panic(err) // the embedded file is tested
	}
	return c
}

// maxConfig bounds a configuration file.
const maxConfig = 1 << 20

// Read lays a YAML file over c. Unknown and repeated keys are errors.
func (c *Config) Read(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return err
	}
	if len(data) > maxConfig {
		return errors.New("the configuration is larger than 1 MiB")
	}
	var any any
	if err := yaml.Unmarshal(data, &any); err != nil {
		return err
	}
	if any == nil {
		return nil // empty, or comments only: changes nothing
	}
	return yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(c)
}

// ReadFile lays the file at path over c.
func (c *Config) ReadFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := c.Read(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Check tells the first setting that makes no sense, by its name.
func (c *Config) Check() error {
	for name, addr := range map[string]string{"listen": c.Listen, "operator_listen": c.OperatorListen} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("%s: %q is not host:port", name, addr)
		}
	}
	u, err := url.Parse(c.publicURL())
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("public_url: %q is not an origin such as https://sessions.example.org", c.PublicURL)
	case len(c.publicURL()) > 256 || !token.IsWord(c.publicURL()):
		return fmt.Errorf("public_url: %q is longer than 256 bytes or not plain ASCII", c.PublicURL)
	case u.Scheme != "https" && !(u.Scheme == "http" && (c.Dev || isLoopback(u.Hostname()))):
		return fmt.Errorf("public_url: %q must be https; plain http is for --dev and loopback only", c.PublicURL)
	}
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != origin || strings.ContainsAny(origin, "* ") || origin != strings.ToLower(origin) {
			return fmt.Errorf("origins: %q is not an exact origin such as https://app.example.org", origin)
		}
		if u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return fmt.Errorf("origins: %q must be https; plain http is for loopback only", origin)
		}
	}
	for _, host := range c.Hosts {
		if u, err := url.Parse("https://" + host); err != nil || u.Host != host || host == "" {
			return fmt.Errorf("hosts: %q is not a host name, with its port if it has one", host)
		}
	}
	switch c.Algorithm {
	case token.EdDSA, token.ES256, token.HS256:
	default:
		return fmt.Errorf("algorithm: %q is none of EdDSA, ES256, HS256", c.Algorithm)
	}
	if c.Profile != "default" && c.Profile != "strict" {
		return fmt.Errorf("profile: %q is neither default nor strict", c.Profile)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("log_format: %q is neither text nor json", c.LogFormat)
	}
	if err := new(logLevel).parse(c.LogLevel); err != nil {
		return err
	}
	if len(c.Service) > 64 {
		return errors.New("service: the name that people read is at most 64 bytes")
	}
	if err := c.texts().Check(); err != nil {
		return err
	}
	if c.Data == "" {
		return errors.New("data: a directory is needed")
	}
	if c.DrainTimeout <= 0 {
		return errors.New("drain_timeout: must be positive")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls_cert and tls_key: one needs the other")
	}
	if _, err := c.rootKeys(); err != nil {
		return err
	}
	if c.Chaos && !c.Dev {
		return errors.New("chaos: only together with dev: it fails calls of real people")
	}
	if err := c.Limits.check(); err != nil {
		return err
	}
	if err := c.checkAnonymous(); err != nil {
		return err
	}
	return c.policies().Check()
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// publicURL is the configured origin, or the listener's own.
func (c *Config) publicURL() string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	host, port, _ := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// policies are the profile's with the settings laid over them.
func (c *Config) policies() session.Policies {
	p := session.DefaultPolicies()
	if c.Profile == "strict" {
		p = session.StrictPolicies()
	}
	for t, set := range map[session.Type]PolicySetting{
		session.Standard: c.Policies.Standard, session.Anonymous: c.Policies.Anonymous, session.Professional: c.Policies.Professional,
	} {
		l := p[t]
		if set.TokenLife != 0 {
			l.TokenLife = set.TokenLife
		}
		if set.AbsoluteLife != 0 {
			l.AbsoluteLife = set.AbsoluteLife
		}
		if set.IdleLife != 0 {
			l.IdleLife = set.IdleLife
		}
		if set.Permissions != nil {
			l.Permissions = session.NewPermissions(set.Permissions...)
		}
		if set.MaxLive != 0 {
			l.MaxLive = set.MaxLive
		}
		if set.Reporting != nil {
			l.Reporting = *set.Reporting
		}
		p[t] = l
	}
	return p
}
